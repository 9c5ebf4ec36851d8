"""Say when two failures are the same: mask what changes from run to run, name the place that broke."""

from __future__ import annotations

import re

from goldenpath_loop.records.results import Failure, Signature

__all__ = ["MAX_CHARS", "mask", "places", "signature_of"]

MAX_CHARS = 300
"""A masked message is never longer."""

_READ_CHARS = 4000  # what follows repeats bodies and tracebacks; bounds the work on megabytes of output

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_STATUS = r"[1-5][0-9]{2}(?![\w.,]*[0-9])"
_PHRASES = (
    r"OK|Created|Accepted|No\ Content|Moved|Found|Not\ Modified|Bad\ Request|Unauthorized|Payment\ Required"
    r"|Forbidden|Not\ Found|Method\ Not\ Allowed|Not\ Acceptable|Conflict|Gone|Unprocessable"
    r"|Too\ Many\ Requests|Upgrade\ Required|Internal\ Server\ Error|Not\ Implemented|Bad\ Gateway"
    r"|Service\ Unavailable|Gateway\ Time-?out|Client\ Error|Server\ Error|Switching\ Protocols"
)
_SOURCE = "py|pyi|pyx|js|jsx|mjs|ts|tsx|go|rs|rb|java|kt|php|sh|c|h|cc|cpp|sql|html|toml|ya?ml|json|md"

# One pass, first alternative at a position wins. `keep` comes first: an HTTP status or a WebSocket close code
# is what the failure is about, so it survives the number rule.
_RULES: tuple[tuple[str, str], ...] = (
    (
        "keep",
        rf"""
        (?i:\bHTTP(?:Status\.\w+|/[0-9](?:\.[0-9])?|(?![\w/]))['"]?
            (?:[\s:=!<>,]{{1,4}}(?:status|code|error)\b)?
            (?:[\s:=!<>,]{{0,4}}['"(\[]?{_STATUS})?)
        | (?i:\b(?:\w+_)?status(?:[ _-]?codes?)?['"]?[\s:=!<>]{{0,4}}
            (?:(?:is|was|of|code|to\ be)\ )?['"(\[]{{0,2}}{_STATUS}
            (?:['")\]]{{0,2}},?\ (?:but\ )?(?:got|was|is|not)\ {_STATUS})?)
        | \bassert\ {_STATUS}\ (?:==|!=)\ {_STATUS}
        | \bassert\ {_STATUS}\ (?:not\ )?in\ [(\[{{](?:{_STATUS}(?:,\ )?)+
        | (?i:\bexpected\ {_STATUS},?\ (?:but\ )?(?:got|was|received|found)\ {_STATUS})
        | (?:\breturned|\banswered(?:\ with)?|->|=>)\ {_STATUS}
            (?=$|[),;:'"]|\.(?:\ |$)|\ (?:for|on|from|to|instead|\())
        | (?:\bwhere\ {_STATUS}\ =\ <)?(?i:\bResponse\ \[{_STATUS})
        | (?<![\w.]){_STATUS}(?=,?\ (?:{_PHRASES})\b)
        | (?i:\b(?:received|sent)\ )[1-4][0-9]{{3}}(?=\ \()
        | (?i:\bclose[ _]?code['"]?[\s:=]{{1,3}})[1-4][0-9]{{3}}(?![0-9])
        """,
    ),
    ("token", r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    ("host", r"""(?<=://)(?:\[[0-9a-fA-F:.]+\](?::[0-9]+)?|[^\s/?\#'"<>()\[\],;]+)"""),
    (
        "time",
        r"""
        (?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}
            (?:[T\ _][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?
            (?:\ ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?)?(?![0-9-])
        | \b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ )?[0-9]{1,2}[ ]
            (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*
            \ [0-9]{4}(?:\ [0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:\ (?:GMT|UTC|[+-][0-9]{4}))?)?
        | (?<![0-9:])[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?![0-9:])
        """,
    ),
    ("uuid", r"(?i:\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"),
    ("address", r"\b0[xX][0-9a-fA-F]+\b"),
    ("host", r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]{1,5})?(?![\w.]*[0-9])"),
    ("host", r"\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]:[0-9]{1,5}|(?<![\w:])::1(?![\w:])"),
    ("host", r"(?<![\w:])(?=[0-9a-fA-F:]*[0-9])(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{1,4}(?![\w:])"),
    (
        "host",
        rf"(?<![\w.])(?:localhost|(?![\w.-]*\.(?:{_SOURCE}):)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+):[0-9]{{2,5}}(?![\w:])",
    ),
    (
        "temp",
        r"""
        (?<![\w>.])(?:/private)?/(?:tmp|var/tmp|var/folders|dev/shm)/[^\s'",:;)\]>]*
        | [A-Za-z]:\\(?:[^\s'"\\]+\\)*(?:[Tt]e?mp)\\[^\s'",:;)\]>]*
        | [^\s'",:;(\[<>]*pytest-of-\w+/[^\s'",:;)\]>]*
        """,
    ),
    (
        # Trees of different runs lie in different folders: of a file's path the last two names stay.
        "folder",
        rf"""
        (?<![\w>.:/])/(?:(?:home|Users|root|opt|usr|srv|mnt|media|var|builds|workspaces?|private)/(?:[\w.@+~-]+/)*
            |(?:[\w.@+~-]+/){{2,}}(?=[\w.@+~-]+/[\w.@+~-]+\.(?:{_SOURCE})\b))
            (?=[\w.@+~-]+/[\w.@+~-]+(?![\w/]))
        """,
    ),
    (
        "id",
        r"""
        (?<=['"])(?=(?:[\w-]*?(?:[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z]))){3})[\w-]{8,}(?=['"])
        | (?<![A-Za-z0-9])(?=[A-Za-z]+[0-9]+[A-Za-z]+[0-9]|[0-9]+[A-Za-z]+[0-9]+[A-Za-z])
            [A-Za-z0-9]{12,}(?![A-Za-z0-9])
        | (?<![A-Za-z0-9])(?=[a-fA-F]*[0-9])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{6,}(?![A-Za-z0-9])
        """,
    ),
    # Few digits behind a letter are part of a name (`utf8`, `chat.v1`), many are an id (`user1234`).
    ("num", r"(?<![A-Za-z0-9])[0-9]+(?:[.,_][0-9]+)*(?:[eE][+-]?[0-9]+)?|(?<=[A-Za-z])[0-9]{3,}"),
)

_PLACEHOLDERS = {
    "token": "<token>",
    "host": "<host>",
    "time": "<time>",
    "uuid": "<uuid>",
    "address": "<address>",
    "temp": "<temp>",
    "folder": "<folder>/",
    "id": "<id>",
    "num": "<num>",
}


def _compiled() -> tuple[re.Pattern[str], tuple[str, ...]]:
    names = tuple(name for name, _ in _RULES)
    groups = (f"(?P<r{position}>{pattern})" for position, (_, pattern) in enumerate(_RULES))
    return re.compile("|".join(groups), re.VERBOSE | re.ASCII), names


_PATTERN, _NAMES = _compiled()


def _replacement(match: re.Match[str]) -> str:
    name = _NAMES[int((match.lastgroup or "r0")[1:])]
    return match.group() if name == "keep" else _PLACEHOLDERS[name]


def mask(text: str) -> str:
    """Replace what differs between two runs of the same failure, and cut to `MAX_CHARS` characters.

    Ids, hosts with ports, temporary and absolute folders, time stamps, addresses and numbers become
    placeholders such as `<num>`. HTTP statuses and WebSocket close codes stay, and so do routes, as templates
    (`/users/<num>`). Masking twice changes nothing.
    """
    masked = " ".join(_ANSI.sub("", text[:_READ_CHARS]).split())
    # The cut, and a name uncovered by an earlier replacement, may leave something to mask. Every round takes
    # digits or folders away and none brings any, so this ends.
    while True:
        again = _PATTERN.sub(_replacement, masked)[:MAX_CHARS].rstrip()
        if again == masked:
            return masked
        masked = again


_FOREIGN = re.compile(
    r"^(?:/|\\|[A-Za-z]:[\\/]|<|\.\./)"
    r"|(?:^|/)(?:site-packages|dist-packages|node_modules)(?:/|$)"
    r"|(?:^|/)lib/python[0-9.]+/"
)


def _is_ours(path: str) -> bool:
    return bool(path) and not _FOREIGN.search(path)


def places(failure: Failure) -> tuple[str, ...]:
    """`path::function` of every frame inside the tree, outermost first: no libraries, no interpreter."""
    found = []
    for frame in failure.frames:
        parts = frame.rsplit(":", 2)
        if len(parts) == 3 and _is_ours(parts[0]):
            found.append(f"{parts[0]}::{parts[2]}")
    if not found and _is_ours(failure.path):
        found.append(f"{failure.path}::{failure.function}")
    return tuple(found)


def signature_of(failure: Failure) -> Signature:
    """What makes `failure` recognisable in another run, in another tree, on another commit."""
    frames = places(failure)
    return Signature(
        exception=failure.exception,
        place=frames[-1] if frames else "",
        message=mask(failure.message),
    )
