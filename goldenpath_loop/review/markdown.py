"""Text from outside made safe to stand in Markdown: nothing in it becomes markup, no row falls apart."""

from __future__ import annotations

import re

from goldenpath_loop.system.plain import plain, plain_line

__all__ = ["Markdown", "block", "cell_code", "code", "link", "prose"]

_MAX_CHARS = 600
# `_` stays bare inside of words, where it never marks anything and escapes would only hurt readers.
_MARKUP = re.compile(r"[\\`*\[\]<>|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)|!(?=\[)")
_QUOTED = re.compile(r"((?<!`)`[^`|\\ ](?:[^`|\\]*[^`|\\ ])?`(?!`))")
_LINE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+=](?=[\s=-]|$))")
_ORDINAL = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_ADDRESS = re.compile(r"https?://[^\s<>()\[\]\"'`|\\]+|[A-Za-z0-9_][A-Za-z0-9_./-]*")


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""

    __slots__ = ()


def prose(text: str, *, max_chars: int = _MAX_CHARS) -> Markdown:
    """`text` on one line as words, also within a table; what is too long is cut and says so."""
    if isinstance(text, Markdown):
        return text
    line = " ".join(plain(text, max_chars=max_chars).split())
    # Our own sentences quote with single backticks; whatever else stands between two is harmless as code.
    parts = _QUOTED.split(line) if line.count("`") % 2 == 0 else [line]
    escaped = "".join(
        part if number % 2 else _MARKUP.sub(r"\\\g<0>", part) for number, part in enumerate(parts)
    )
    return Markdown(_ORDINAL.sub(r"\1\\\2", _LINE_START.sub(r"\\\1", escaped)))


def code(text: str, *, max_chars: int = _MAX_CHARS) -> Markdown:
    """`text` on one line as a code span, with enough backticks; not for use within a table."""
    line = plain_line(text, max_chars=max_chars)
    if not line.strip():
        return Markdown("(empty)")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def cell_code(text: str, *, max_chars: int = _MAX_CHARS) -> Markdown:
    """`text` as a code span within a table, where a bar ends the cell even inside of code."""
    return Markdown(code(text, max_chars=max_chars).replace("|", "\\|"))


def block(text: str, *, max_lines: int = 12, max_chars: int = 1200) -> Markdown:
    """`text` as a fenced block; what is too long is cut and says so."""
    lines = plain(text, max_chars=max_chars).rstrip().split("\n")
    if len(lines) > max_lines:
        lines = [*lines[:max_lines], f"[... {len(lines) - max_lines} more lines]"]
    longest = max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown("\n".join((f"{fence}text", *lines, fence)))


def link(text: str, target: str) -> Markdown:
    """A link when `target` is an address that can stand in one, else only its text as code."""
    if _ADDRESS.fullmatch(target) and ".." not in target.split("/"):
        return Markdown(f"[{prose(text)}]({target})")
    return cell_code(text)
