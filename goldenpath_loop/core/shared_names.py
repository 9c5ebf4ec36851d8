"""Names by which one text leads to another: words that say something, and names that only code has."""

from __future__ import annotations

import re

__all__ = ["code_names", "names"]

_NAME = re.compile(r"[^\W\d]\w{2,}")
_IN_CODE = re.compile(
    r"(?<=[\w)\]]\.)[^\W\d]\w{2,}|(?<=[/@\[=])[^\W\d]\w{2,}|(?<=\w\()[^\W\d]\w{2,}"
    r"|(?<=['\"])[^\W\d]\w{2,}(?=['\"])|[^\W\d]\w{2,}(?=\(|\[|\.\w|\s*=)|(?<=def )\w{3,}|(?<=class )\w{3,}"
    r"|(?<=assert )\w{3,}|[^\W\d]\w*_\w+|[^\W\d_][a-z0-9]+[A-Z]\w*"
)
"""Names where only code and addresses have them, or spelt as only code spells: no words of a sentence."""
_WORDS = (
    "and assert class def elif else error false for from if import line none not raise return self test the true "
    "while with file str int async await"
)
_NAMES_OF_ALL_CODE = (
    "api app args append code config data debug dict exception format get headers http https info isinstance items "
    "join json key keys kwargs len list log logger logging main message method name path post print put range request "
    "response result results route server service services set settings sorted status status_code sum text timeout "
    "tuple type url user value values valueerror keyerror typeerror runtimeerror attributeerror assertionerror "
    "timeouterror oserror connectionerror connectionreseterror connectionrefusederror indexerror importerror "
    "nonetype notimplementederror zerodivisionerror"
)
_EVERYWHERE = frozenset(_WORDS.split())
_IN_ALL_CODE = _EVERYWHERE | frozenset(_NAMES_OF_ALL_CODE.split())


def names(text: str) -> frozenset[str]:
    """Words of `text`, without those that join everything with everything."""
    return frozenset(word for word in _NAME.findall(text) if word.lower() not in _EVERYWHERE)


def code_names(text: str) -> frozenset[str]:
    """Names of code in `text`, without those that all code has."""
    return frozenset(name for name in _IN_CODE.findall(text) if name.lower() not in _IN_ALL_CODE)
