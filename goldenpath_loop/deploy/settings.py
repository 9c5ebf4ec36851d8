"""Reads a KEY=VALUE file into a mapping. Every value in it is a secret and never part of a message."""

from __future__ import annotations

import re
from pathlib import Path

from goldenpath_loop.errors import ConfigurationError

__all__ = ["parse_settings", "read_settings"]

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def _quoted(text: str, where: str) -> str:
    """The value between quotes; behind it only a comment may follow."""
    quote = text[0]
    body = r"(?:[^\"\\]|\\.)*" if quote == '"' else r"[^']*"
    match = re.fullmatch(rf"{quote}({body}){quote}\s*(?:#.*)?", text)
    if match is None:
        raise ConfigurationError("this value has an opening quote and does not end with it", where=where)
    if quote == "'":
        return match[1]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), match[1])


def parse_settings(text: str, *, name: str) -> dict[str, str]:
    """The settings in `text`: one KEY=VALUE a line, `export ` allowed, `#` comments, optional quotes.

    Args:
        text: The file's content.
        name: What to call the file in messages.

    Raises:
        ConfigurationError: A line is not like that; names the file and the line, never a value.
    """
    settings: dict[str, str] = {}
    for number, raw in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.removeprefix("export ").partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not _KEY.fullmatch(key):
            raise ConfigurationError(
                "this line is no setting", where=where, advice="Write KEY=VALUE, or # for a comment."
            )
        if key in settings:
            raise ConfigurationError(f"{key} is set twice", where=where, advice="Keep one of the two lines.")
        if "\0" in value:
            raise ConfigurationError(f"the value of {key} has a NUL character", where=where)
        if value[:1] in ("'", '"'):
            settings[key] = _quoted(value, where)
        else:
            settings[key] = re.split(r"\s#", value, maxsplit=1)[0].strip()
    return settings


def read_settings(path: Path) -> dict[str, str]:
    """The settings in a file.

    Raises:
        ConfigurationError: The file cannot be read, or a line of it is no setting.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as failure:
        reason = (failure.strerror or "unknown reason").lower()
        raise ConfigurationError(
            f"this file cannot be read: {reason}",
            where=str(path),
            advice="Correct deploy.env_file, or create the file.",
        ) from failure
    except UnicodeDecodeError as failure:
        raise ConfigurationError("this file is not UTF-8 text", where=str(path)) from failure
    return parse_settings(text, name=str(path))
