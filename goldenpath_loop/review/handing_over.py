"""A hand-off record in words: what ran out, where the run left off, what is left, how it gets more."""

from __future__ import annotations

from collections.abc import Iterator

from goldenpath_loop.records.hand_off import ClusterStand, HandOff, LimitUse
from goldenpath_loop.review.wording import counted, price, seconds, short

__all__ = ["hand_off_rows", "limit_words", "spent_words", "stand_words"]

_MOST_CLUSTERS = 5


def hand_off_rows(record: HandOff) -> Iterator[tuple[str, str]]:
    """A label and a sentence each, few enough for the end of a terminal."""
    yield "limit", limit_words(record)
    place = f"cycle {record.cycle}" + (f", phase {record.phase}" if record.phase else "")
    cut = f"; ended before it was over: {counted(record.unfinished)}" if record.unfinished else ""
    yield "left off", f"{place}{cut}"
    for one in record.clusters[:_MOST_CLUSTERS]:
        yield one.cluster, stand_words(one)
    if len(record.clusters) > _MOST_CLUSTERS:
        yield "", f"{len(record.clusters) - _MOST_CLUSTERS} more clusters stand in the worklog"
    for left in record.remedies:
        whose = f" for {', '.join(left.clusters)}" if left.clusters else ""
        yield "proven", f"{left.remedy}{whose} has no pull request: {left.branch} at {short(left.head)}"
    if record.next_run:
        yield "more", record.next_run


def limit_words(record: HandOff) -> str:
    """`duration ended the run: 61.5 s of 60.0 s`, and what else ran out."""
    uses = {one.limit: one for one in record.spent}
    words: list[str] = []
    for name in record.reached:
        limit, _, cluster = name.partition("/")
        whose = f" for {cluster}" if cluster else ""
        ended = " ended the run" if name == record.ended_by else " were used up" if whose else " ran out"
        words.append(f"{_name(limit)}{whose}{ended}: {spent_words(uses[limit])}")
    return "; ".join(words)


def spent_words(use: LimitUse) -> str:
    """`2 of 5`, `12.4 s of 2 h 00 min`, `USD 0.3675 of 20.00`."""
    match use.limit:
        case "duration_s":
            return f"{seconds(use.used)} of {seconds(use.allowed)}"
        case "cost_usd":
            return f"USD {price(use.used)} of {price(use.allowed)}"
        case _:
            return f"{use.used:,.0f} of {use.allowed:,.0f}"


def stand_words(one: ClusterStand) -> str:
    """How far a cluster came."""
    span = f", {short(one.oldest)} to {short(one.newest)}" if one.left else ""
    more = f" and {one.tests - 1} more" if one.tests > 1 else ""
    return f"{one.test}{more}: {one.statement}{span}"


def _name(limit: str) -> str:
    return limit.removesuffix("_s").removesuffix("_usd").replace("_", " ")
