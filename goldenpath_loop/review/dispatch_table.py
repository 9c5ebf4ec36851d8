"""The dispatches of a run as a table: who was asked, what came of it, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from goldenpath_loop.review.charges import Charge
from goldenpath_loop.review.dispatches import Dispatch, total_of
from goldenpath_loop.review.wording import percent, price, seconds
from goldenpath_loop.system.plain import plain_line

__all__ = ["dispatch_table", "legend", "result_words"]

_STYLES = {"answered": "green", "under way": "cyan", "failed": "red"}
_RESULT_CHARS = 300
_NARROW = 120


def result_words(one: Dispatch) -> str:
    """What came of a dispatch: `answered: 1 finding`, `inconclusive: no answer within 300 s`."""
    detail = one.answer if one.state == "answered" else one.problem
    words = f"{one.state}: {detail}" if detail else one.state
    judged = one.passed + one.rejected
    return f"{words}; {one.rejected} of {judged} did not pass the gate" if one.rejected else words


def dispatch_table(dispatches: Sequence[Dispatch], *, width: int) -> RenderableType:
    """A row a dispatch, and what they come to together; on a narrow screen all words of a row share a column."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("#", no_wrap=True, justify="right")
    is_narrow = width < _NARROW
    for name in ("dispatch",) if is_narrow else ("dispatch", "agent", "about", "result"):
        table.add_column(name, overflow="fold")
    for name in ("turns", "tokens", "cost", "cached", "latency", "refused"):
        table.add_column(name, no_wrap=True, justify="right")
    for one in dispatches:
        words = _narrow(one) if is_narrow else _wide(one)
        table.add_row(f"{one.number}", *words, f"{one.turns}", *_costs(one.charge), f"{len(one.refusals)}")
    if len(dispatches) > 1:
        refused = sum(len(one.refusals) for one in dispatches)
        turns = sum(one.turns for one in dispatches)
        blank = [] if is_narrow else [""] * 3
        row = ("", "all", *blank, f"{turns}", *_costs(total_of(dispatches)), f"{refused}")
        table.add_row(*row, style="bold")
    return table


def _wide(one: Dispatch) -> Iterator[Text]:
    yield Text(plain_line(one.key, max_chars=80))
    yield Text(plain_line(one.agent, max_chars=40))
    yield Text(plain_line(one.subject, max_chars=80))
    yield _result(one)


def _narrow(one: Dispatch) -> Iterator[Text]:
    key, agent, subject, result = _wide(one)
    yield Text("\n").join((key, Text(" about ").join((agent, subject)), result))


def _result(one: Dispatch) -> Text:
    return Text(
        plain_line(result_words(one), max_chars=_RESULT_CHARS), style=_STYLES.get(one.state, "yellow")
    )


def legend(dispatches: Sequence[Dispatch]) -> str:
    """What the signs before numbers mean, as far as there are any."""
    total = total_of(dispatches)
    words = ["≥: some call was never counted, so at least that"] if total.is_least else []
    words += ["~: the server did not count, so estimated"] if total.usage.is_estimated else []
    return "; ".join(words)


def _costs(charge: Charge) -> Iterator[str]:
    sign = ("≥" if charge.is_least else "") + ("~" if charge.usage.is_estimated else "")
    yield f"{sign}{charge.usage.tokens:,}"
    yield f"{sign}${price(charge.usage.cost_usd)}"
    yield percent(charge.cached_share)
    yield seconds(charge.latency_s) if charge.latency_s is not None else "-"
