"""The code under test."""


def price(name: str) -> int:
    """The price of an article."""
    return _table()[name]


def _table() -> dict[str, int]:
    return {"tea": 3}
