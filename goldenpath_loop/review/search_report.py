"""A search for a culprit as an argument: each run with what was believed after it, and the final belief as bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from goldenpath_loop.core.culprit_evidence import Search, search_of
from goldenpath_loop.records.line import Line
from goldenpath_loop.review.reading import Reading, read_lines
from goldenpath_loop.review.wording import seconds
from goldenpath_loop.science.flaky_culprit import view
from goldenpath_loop.system.plain import plain_line

__all__ = ["search_report"]

_STYLES = {"green": "green", "red": "red", "unresolved": "yellow"}
_BAR_CELLS = 40
_SHOWN_COMMITS = 12
_LEAST_SHARE = 0.001


def search_report(lines: Iterable[Line]) -> RenderableType:
    """The runs of a search, and how belief is spread over commits after the last of them."""
    reading = read_lines(lines)
    state = reading.state
    policy = state.started.policy if state.started else None
    search = search_of(state, policy) if policy else "the run has no beginning"
    if isinstance(search, str):
        return Text(search)
    return Group(_table(reading), Text(""), *_picture(search))


def _table(reading: Reading) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("run", "commit", "outcome", "took", "likeliest culprit then"):
        table.add_column(name, justify="right" if name in ("run", "took") else "left", overflow="fold")
    for verdict in reading.state.verdicts:
        if verdict.kind != "probe":
            continue
        known = {one.name: one.value for one in verdict.measurements}
        share = known.get("share")
        table.add_row(
            str(known.get("run", "")),
            str(verdict.revision or "")[:12],
            Text(verdict.value, style=_STYLES.get(verdict.value, "")),
            seconds(reading.durations.get(verdict.because[0], 0.0)) if verdict.because else "",
            f"{known['likeliest culprit']} {float(share):6.1%}" if share is not None else "",
        )
    return table


def _picture(search: Search) -> Iterator[RenderableType]:
    belief = view(search.asked, search.runs)
    if belief is None:
        return
    shares = sorted(enumerate(belief.culprits), key=lambda pair: -pair[1])
    shown = sorted(index for index, share in shares[:_SHOWN_COMMITS] if share >= _LEAST_SHARE)
    yield Text("belief, newest commit first", style="dim")
    for index in shown:
        commit = search.history[index]
        yield _bar(commit.revision[:12], belief.culprits[index], plain_line(commit.subject, max_chars=60))
    none = belief.flaky + belief.never_good + belief.environment
    rest = max(0.0, 1 - none - sum(belief.culprits[index] for index in shown))
    if rest >= _LEAST_SHARE:
        yield _bar("others", rest, f"{len(search.history) - 1 - len(shown)} commits")
    if none >= _LEAST_SHARE:
        yield _bar("no commit", none, "always flaky, never good, or the environment")
    if search.asked.is_flaky:
        yield Text(f"failure rate: {belief.p_old:.0%} before, {belief.p_new:.0%} since", style="dim")


def _bar(name: str, share: float, words: str) -> Text:
    cells = round(share * _BAR_CELLS)
    return Text.assemble(
        (f"{name:<12} ", ""),
        ("█" * cells, "cyan"),
        ("·" * (_BAR_CELLS - cells), "dim"),
        (f" {share:6.1%}  ", "bold" if share >= 0.5 else ""),
        (words, "dim"),
    )
