"""How many forged findings the gate lets through, how many honest ones it turns away, and how long it takes.

    python -m tests.benchmarks.gate [--findings 700] [--seed 3] [--show 0]

Every finding has passed through the shape of an agent's answer and is judged with the origin that the engine would
give it. Half of them are observations with one false citation among true ones, half are the true story of a failure
with one false citation in it: that one is rejected when the chain is cut above it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from goldenpath_loop.core.agent_claims import claims_of
from goldenpath_loop.core.grounding import Judgement, cited, judge
from goldenpath_loop.model.answers import parsed
from goldenpath_loop.model.envelope import neutral
from goldenpath_loop.records.agents import ProposedFindings
from goldenpath_loop.records.findings import Finding
from tests.benchmarks.gate_evidence import Shop, open_shop
from tests.core.builders import REVISION
from tests.model_server.behaviours.liar import LIES, Lie, forge, honest

_RUNS = 10
_FORGED_SHARE, _HONEST_SHARE, _MEAN_MS = 0.99, 0.01, 5.0


@dataclass
class Tally:
    """What became of the findings of one kind."""

    seen: int = 0
    rejected: int = 0
    took_ms: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of those seen, how many were rejected."""
        return self.rejected / max(1, self.seen)


@dataclass(frozen=True)
class Case:
    """A finding in the words of an agent, and where the lie stands in it, if there is one."""

    kind: str
    shop: Shop
    answer: dict[str, Any]
    lie: dict[str, Any] | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--findings", type=int, default=700, help="forged, and as many honest ones")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--show", type=int, default=0, help="wrong answers to print of each kind")
    arguments = parser.parse_args()
    tallies: dict[str, Tally] = {}
    for case in cases(arguments.findings, arguments.seed):
        _judge(case, tallies.setdefault(case.kind, Tally()))
    print(f"{'kind':<18}{'findings':>10}{'rejected':>10}{'mean ms':>10}{'p99 ms':>10}")
    for kind in (*LIES, "honest"):
        _print(kind, tallies[kind])
        for one in tallies[kind].wrong[: arguments.show]:
            print(f"    {one}")
    forged = _together([tallies[kind] for kind in LIES])
    _print("all forged", forged)
    _print("everything", _together(list(tallies.values())))
    reached = forged.share >= _FORGED_SHARE and tallies["honest"].share <= _HONEST_SHARE
    quick = statistics.mean(_together(list(tallies.values())).took_ms) < _MEAN_MS
    print(
        f"targets (forged >= 99 %, honest <= 1 %, mean < 5 ms): {'reached' if reached and quick else 'missed'}"
    )


def cases(count: int, seed: int) -> Iterator[Case]:
    """As many forged findings as said, the seven kinds in turn, and an honest one beside each."""
    rng = random.Random(seed)
    shops = [open_shop(rng) for _ in range(_RUNS)]
    for number in range(count):
        shop = shops[number % _RUNS]
        yield _forged(LIES[number % len(LIES)], shop, number, rng)
        yield _honest(shop, number, rng)


def _text(shop: Shop, id: str) -> str:
    return shop.run.stored[id].decode()


def _true(shop: Shop, rng: random.Random) -> dict[str, Any]:
    """A true citation: of the stored bytes, or of the text as an agent is shown it, whose offsets it cannot know."""
    id = rng.choice(shop.now)
    stored = _text(shop, id)
    if rng.random() < 0.5:
        return honest(id, stored, rng)
    return {**honest(id, neutral(stored), rng), "start": -1, "end": -1}


def _false(kind: Lie, shop: Shop, rng: random.Random) -> dict[str, Any]:
    while True:
        id = rng.choice(shop.now)
        old = rng.choice(shop.older)
        # An id of another run names nothing here, or something that this agent never saw, or that says other things.
        foreign = rng.choice(("", "", shop.unread[0], f"E{len(shop.run.stored) + 1}"))
        try:
            return forge(kind, id, _text(shop, id), rng, foreign=foreign, earlier=(old, _text(shop, old)))
        except ValueError:
            continue


def _observation(citations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "observation", "title": "Why", "statement": "As cited.", "citations": citations}


def _story(shop: Shop, number: int) -> dict[str, Any]:
    chain = [json.loads(link.model_dump_json()) for link in shop.story[: 3 + number % 3]]
    return {"kind": "why_chain", "title": "Why", "statement": "As cited.", "chain": chain}


def _forged(kind: Lie, shop: Shop, number: int, rng: random.Random) -> Case:
    lie = _false(kind, shop, rng)
    if number % 2:
        citations = [_true(shop, rng) for _ in range(rng.randint(0, 2))]
        citations.insert(rng.randint(0, len(citations)), lie)
        return Case(kind, shop, _observation(citations), lie)
    answer = _story(shop, number)
    link = rng.choice(answer["chain"])
    place = rng.choice(("effect", "cause", "refuter"))
    if place == "refuter":
        link["refuter"]["citation"] = lie
    else:
        link[f"{place}_citation"] = lie
    return Case(kind, shop, answer, lie)


def _honest(shop: Shop, number: int, rng: random.Random) -> Case:
    if number % 2:
        return Case("honest", shop, _observation([_true(shop, rng) for _ in range(rng.randint(1, 3))]), None)
    return Case("honest", shop, _story(shop, number), None)


def _judge(case: Case, tally: Tally) -> None:
    answer = parsed(json.dumps({"findings": [case.answer]}), "findings")
    if not isinstance(answer, ProposedFindings):
        raise SystemExit(f"a made finding does not have the shape of one: {answer}")
    run, state = case.shop.run, case.shop.state
    (finding,) = claims_of(answer, dispatch="analyse", subject="K1", state=state)
    began = time.perf_counter()
    origin = run.origin_in(state, cited(finding), read=case.shop.read, revision=REVISION)
    judgement = judge(finding, origin.data, state, origin=origin)
    tally.took_ms.append((time.perf_counter() - began) * 1000)
    tally.seen += 1
    is_kept = _is_whole(judgement, finding) if case.lie is None else _holds(judgement, case.lie)
    tally.rejected += not is_kept
    if is_kept != (case.lie is None):
        said = judgement.finding.hypotheses if judgement.finding else judgement.reasons
        tally.wrong.append(f"{case.lie or [one.quote for one in finding.citations]}: {said}")


def _is_whole(judgement: Judgement, finding: Finding) -> bool:
    found = judgement.finding
    return found is not None and len(found.chain) == len(finding.chain)


def _holds(judgement: Judgement, lie: dict[str, Any]) -> bool:
    """Whether the lie stands in what was accepted."""
    if judgement.finding is None:
        return False
    links = judgement.finding.chain
    kept = [*judgement.finding.citations, *(one.effect_citation for one in links)]
    kept += [one.cause_citation for one in links]
    kept += [one.refuter.citation for one in links if one.refuter.citation is not None]
    return any((one.evidence, one.quote) == (lie["evidence"], lie["quote"]) for one in kept)


def _together(tallies: list[Tally]) -> Tally:
    return Tally(
        sum(one.seen for one in tallies),
        sum(one.rejected for one in tallies),
        [took for one in tallies for took in one.took_ms],
    )


def _print(kind: str, tally: Tally) -> None:
    took = sorted(tally.took_ms)
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    print(f"{kind:<18}{tally.seen:>10}{tally.share:>10.1%}{statistics.mean(took):>10.2f}{p99:>10.2f}")


if __name__ == "__main__":
    main()
