"""The worklog: what a person reads first, made from the session log and its evidence alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from goldenpath_loop.records.events import FindingRejected
from goldenpath_loop.records.line import Line
from goldenpath_loop.review.appendix import evidence_rows
from goldenpath_loop.review.causes import ClusterView, SearchStep, clusters_of, search_of
from goldenpath_loop.review.handing_over import limit_words, spent_words, stand_words
from goldenpath_loop.review.markdown import Markdown, block, cell_code, code, link, prose
from goldenpath_loop.review.overview import overview_of
from goldenpath_loop.review.plan import PlanView, plan_of
from goldenpath_loop.review.reading import PhaseSpan, Reading, read_lines
from goldenpath_loop.review.repairs import RemedyView, pull_request_rows, remedies_of
from goldenpath_loop.review.results import Results, results_of
from goldenpath_loop.review.services import Services, services_of
from goldenpath_loop.review.team_report import agents_by_dispatch, team_report
from goldenpath_loop.review.whys import ChainView, chains_of
from goldenpath_loop.review.wording import amount, seconds, short, usd
from goldenpath_loop.session.store import EvidenceStore

__all__ = ["render_worklog"]

_BLANK_LINES = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Cycle:
    number: int
    remedies: tuple[str, ...]
    spans: tuple[PhaseSpan, ...]
    services: Services
    plan: PlanView | None
    results: Results | None
    clusters: tuple[ClusterView, ...]
    search: tuple[SearchStep, ...]
    chains: tuple[ChainView, ...]
    rejected: tuple[FindingRejected, ...]
    remedies_made: tuple[RemedyView, ...]


def render_worklog(lines: Iterable[Line], store: EvidenceStore) -> str:
    """The worklog of a run as Markdown, whatever state the run is in.

    Args:
        lines: The session log, or the beginning of one.
        store: The run's evidence; digests and quotes are checked against it once more, and evidence that is
            gone or was changed is named as such.
    """
    reading = read_lines(lines)
    finished = reading.state.finished
    text = (
        _environment()
        .get_template("worklog.md.j2")
        .render(
            head=overview_of(reading),
            breaks=reading.breaks,
            cycles=[_cycle(reading, one.cycle, one.remedies, store) for one in reading.cycles],
            team=team_report(reading),
            agents=agents_by_dispatch(reading),
            pull_requests=pull_request_rows(reading),
            finished=finished,
            limits=reading.limits,
            next_actions=finished.next_actions if finished else (),
            evidence=evidence_rows(reading, store),
            digests={one.id: one.digest for one in reading.evidence.values()},
        )
    )
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip() + "\n"


def _cycle(reading: Reading, number: int, remedies: tuple[str, ...], store: EvidenceStore) -> _Cycle:
    return _Cycle(
        number=number,
        remedies=remedies,
        spans=tuple(span for span in reading.spans if span.started.cycle == number),
        services=services_of(reading, number),
        plan=plan_of(reading, number),
        results=results_of(reading, number),
        clusters=clusters_of(reading, number),
        search=search_of(reading, number),
        chains=chains_of(reading, number, store),
        rejected=tuple(one for one in reading.rejections if reading.cycle_of.get(one.proposed.id) == number),
        remedies_made=remedies_of(reading, number),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("goldenpath_loop.review", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # HTML only; `finalize` escapes for Markdown, everywhere by default
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "address": _address,
        "amount": amount,
        "block": block,
        "cell_code": cell_code,
        "code": code,
        "day": lambda at: f"{at:%Y-%m-%d}",
        "evidence": _named,
        "indented": _indented,
        "limits_reached": limit_words,
        "md": Markdown,
        "moment": _moment,
        "seconds": seconds,
        "short": short,
        "spent": spent_words,
        "stand": stand_words,
        "usd": usd,
    }
    return environment


@pass_context
def _named(context: Context, id: str) -> Markdown:
    digests: Mapping[str, str] = context["digests"]
    return (
        Markdown(f"[{id}](evidence/{digests[id]})") if id in digests else Markdown(f"{id} (not in the log)")
    )


def _escaped(value: object) -> object:
    return prose(value) if isinstance(value, str) and not isinstance(value, Markdown) else value


def _address(text: str) -> Markdown:
    return link(text, text)


def _indented(text: Markdown) -> Markdown:
    return Markdown("\n".join(f"  {line}".rstrip() for line in text.split("\n")))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
