"""How much of anything one request may bring or take."""

from starlette.requests import Request

MAX_TEXT_CHARS = 4000
MAX_TITLE_CHARS = 120
MAX_PAGE = 100
MAX_TURNS = 20


class BadQuery(Exception):
    """A query parameter is not a whole number in its range."""


def whole_number(request: Request, name: str, default: int, highest: int) -> int:
    """A query parameter between 0 and `highest`.

    Raises:
        BadQuery: it is something else.
    """
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if not raw.isdecimal() or int(raw) > highest:
        raise BadQuery(f"{name} must be a whole number from 0 to {highest}")
    return int(raw)
