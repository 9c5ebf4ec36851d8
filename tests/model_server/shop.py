"""A few small modules with one mistake each, for a repairer that has never seen them."""

from __future__ import annotations

__all__ = ["SOURCES"]

TABLE = '''"""Prices."""

RATES = {
    "letter": rate_letter,
    "parcel": rate_parcel,
}


def price(kind, weight):
    """Price of a shipment."""
    return RATES[kind](weight)
'''
RATES = '''"""How each kind is charged."""


def rate_letter(weight):
    return 1 + weight


def rate_parcel(weight):
    return 5 + weight


def rate_pallet(weight):
    return 50 + weight
'''
PAGES = '''"""Pages of a list."""

LIMIT = 3


def page(rows, after):
    """Rows that come after a number."""
    found = []
    for row in rows:
        if row >= after and len(found) < LIMIT:
            found.append(row)
    return found


ROUTES = [Route("/api/pages", page)]
'''
STOCK = '''"""Stock."""

ITEMS = {"nail": 3}


def item(name):
    """What is there of an item."""
    return ITEMS.get(name)


def first(name):
    row = item(name)
    if row is None:
        return 0
    return row


def total(name):
    """Twice of what is there."""
    row = item(name)
    return row.bit_length()
'''
COUNTS = '''"""Counts."""


def count(rows):
    """How many rows there are."""
    number = len(rows)


def twice(rows):
    """Twice as many."""
    return count(rows).bit_length()
'''

SOURCES = {"table.py": TABLE, "rates.py": RATES, "pages.py": PAGES, "stock.py": STOCK, "counts.py": COUNTS}
