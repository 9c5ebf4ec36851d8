"""Text from outside made safe to store and to show: bounded, nothing in it acts on a terminal."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["plain", "plain_line"]

# Colours and cursor moves of a terminal carry no words, so they go away instead of being spelled out.
_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# Cc controls, Cf bidirectional overrides and zero-width signs, Cs lone surrogates, Zl and Zp line ends.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _ACTING:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def plain(text: str, *, max_chars: int) -> str:
    """`text` with line ends as newlines, other acting characters spelled out, cut after `max_chars`.

    A cut is said in the text itself, with the number of characters that are missing.
    """
    text = _TERMINAL_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    missing = len(text) - max_chars
    if missing > 0:
        text = text[:max_chars]
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, text))
    return f"{text} [... {missing} more characters]" if missing > 0 else text


def plain_line(text: str, *, max_chars: int) -> str:
    """`text` on one line: like `plain`, with line ends and tabs spelled out as well."""
    return plain(text.strip(), max_chars=max_chars).replace("\n", "\\n").replace("\t", "\\t")
