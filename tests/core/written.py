"""A run written by hand: effects, evidence and verdicts as events, folded into a real state, with its real origin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from goldenpath_loop.core.claims import Origin, origin_of
from goldenpath_loop.core.grounding import Judgement, cited, judge
from goldenpath_loop.core.state import State, fold
from goldenpath_loop.records.effects import AnyEffect, RunSuite
from goldenpath_loop.records.events import (
    AnyEvent,
    DecisionMade,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    VerdictReached,
)
from goldenpath_loop.records.evidence import Citation, Evidence, EvidenceKind, Obtained
from goldenpath_loop.records.findings import Cluster, Finding, LinkKind, Refuter, Verdict, WhyLink
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import AnyReceipt, SuiteReceipt
from goldenpath_loop.records.results import Outcome, SuiteRun, TestResult
from goldenpath_loop.records.target import ServiceSpec, SuiteSpec
from goldenpath_loop.testing import paper_policy, paper_run

from .builders import NOON, REVISION, SIGNATURE, lines

__all__ = ["Written", "cite", "later", "shop_policy", "why"]


def shop_policy() -> Policy:
    """Three services; `e2e` goes through two of them, `unit` through none."""
    suites = (
        SuiteSpec(name="e2e", path="tests/e2e", priority=1, needs=("edge", "backend")),
        SuiteSpec(name="unit", path="tests/unit", priority=2),
    )
    services = (
        ServiceSpec(name="edge", required_settings=("EDGE_SECRET",)),
        ServiceSpec(name="backend", required_settings=("DATABASE_URL",)),
        ServiceSpec(name="auth", required_settings=("SIGNING_KEY",)),
    )
    return paper_policy().model_copy(update={"suites": suites, "services": services})


@dataclass
class Written:
    """One run: what happened in it so far, and the bytes of its evidence."""

    policy: Policy = field(default_factory=shop_policy)
    events: list[AnyEvent] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    records: dict[str, Evidence] = field(default_factory=dict)

    def evidence(
        self,
        kind: EvidenceKind,
        text: str | bytes,
        subject: str = "",
        *,
        at: datetime = NOON,
        duration_s: float = 1.0,
        served: str | None = None,
    ) -> str:
        """Evidence with the next number; what made it is said by the effect that names it."""
        data = text.encode() if isinstance(text, str) else text
        id = f"E{len(self.stored) + 1}"
        obtained = Obtained(how=kind, started_at=at, duration_s=duration_s, served_revision=served)
        digest = hashlib.sha256(data).hexdigest()
        known = Evidence(
            id=id, kind=kind, digest=digest, size_bytes=len(data), subject=subject, obtained=obtained
        )
        self.stored[id], self.records[id] = data, known
        self.events.append(EvidenceCaptured(evidence=known))
        return id

    def did(self, effect: AnyEffect, receipt: AnyReceipt, *evidence: str) -> None:
        """An effect that settled, and what was captured meanwhile."""
        self.events += [
            EffectRequested(effect=effect),
            EffectSettled(key=effect.key, receipt=receipt, evidence=evidence),
        ]

    def ran(
        self, key: str, suite: str, *evidence: str, revision: str = REVISION, outcome: Outcome = "red"
    ) -> None:
        """A run of a suite; evidence of tests becomes the result of the test it is called after."""
        results = tuple(
            TestResult(
                id=self.records[id].subject,
                outcome=outcome,
                signature=SIGNATURE if outcome == "red" else None,
                evidence=id,
            )
            for id in evidence
            if self.records[id].kind == "test_result"
        )
        run = SuiteRun(suite=suite, ended="completed", results=results)
        effect = RunSuite(key=key, suite=suite, tree="t", deployment="staging", revision=revision)
        self.did(effect, SuiteReceipt(run=run), *evidence)

    def clustered(self, *tests: str, triage: str = "regression") -> None:
        """Failures that look like one cause, called K1, and what came of running them again."""
        made = Cluster(id="K1", signature=SIGNATURE, suites=("e2e",), tests=tests)
        self.events.append(
            DecisionMade(cycle=0, subject="clusters", choice="1", reason="r", clusters=(made,))
        )
        verdict = Verdict(id="V1", kind="triage", subject="K1", value=triage, statement=f"it is {triage}")
        self.events.append(VerdictReached(verdict=verdict))

    @property
    def state(self) -> State:
        """What the run has come to."""
        return fold(lines([paper_run(self.policy), *self.events]))

    def origin(self, ids: Iterable[str], *, read: Iterable[str], revision: str = REVISION) -> Origin:
        """The origin of a claim that cites `ids`, as the engine makes it."""
        return self.origin_in(self.state, ids, read=read, revision=revision)

    def origin_in(
        self, state: State, ids: Iterable[str], *, read: Iterable[str], revision: str = REVISION
    ) -> Origin:
        """The same in a state that is known already."""
        wanted = set(ids) & self.stored.keys()
        return origin_of(
            state,
            read=read,
            revision=revision,
            records={id: self.records[id] for id in wanted},
            data={id: self.stored[id] for id in wanted},
        )

    def judged(
        self, finding: Finding, *, read: Iterable[str] | None = None, revision: str = REVISION
    ) -> Judgement:
        """What the gate says of a claim; unless said otherwise its agent has read everything there is."""
        seen = self.stored if read is None else read
        origin = self.origin(cited(finding), read=seen, revision=revision)
        return judge(finding, origin.data, self.state, origin=origin)

    def line_of(self, id: str, number: int) -> Citation:
        """A whole line of evidence, counted from 0."""
        return cite(id, self.stored[id].decode().splitlines()[number])


def cite(evidence: str, quote: str) -> Citation:
    """A citation whose place the gate is to find."""
    return Citation(evidence=evidence, quote=quote)


def why(
    effect: tuple[str, Citation],
    cause: tuple[str, Citation],
    kind: LinkKind = "call_path",
    *,
    refuter: Citation | None = None,
    measured_by: Sequence[str] = (),
) -> WhyLink:
    """A link between two observations, each with the words that stand for it."""
    return WhyLink(
        kind=kind,
        effect=effect[0],
        cause=cause[0],
        effect_citation=effect[1],
        cause_citation=cause[1],
        refuter=Refuter(looked_for="the opposite", found=False, citation=refuter),
        measured_by=tuple(measured_by),
    )


def later(seconds: float) -> datetime:
    """A moment after noon."""
    return NOON + timedelta(seconds=seconds)
