"""What an agent has to show beside its quotes: every rule, planted at every place of a chain that holds otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from goldenpath_loop.core.claims import unlinked, unread
from goldenpath_loop.records.effects import (
    AnyEffect,
    Deploy,
    DispatchAgent,
    ProbeCommit,
    ProbeHunks,
    ProbeService,
    RunSuite,
    TraceTests,
)
from goldenpath_loop.records.evidence import Citation, EvidenceKind
from goldenpath_loop.records.findings import Finding, LinkKind, Refuter, WhyLink
from goldenpath_loop.records.receipts import DeployReceipt, DispatchReceipt

from .builders import REVISION
from .written import Written, cite, later, why

OLDER = "d" * 40
TEST = "tests/e2e/test_order.py::test_total"
LENGTH = 5
AT_S = {"test": 10, "log": 11, "early": 1, "late": 311}
Told = tuple[str, Citation]


def text(name: str, second: int, *, about: str = "handle_order") -> str:
    """Nine lines that speak of the same function, each with its time."""
    moment = later(second)
    return "".join(f"{moment:%Y-%m-%d %H:%M:%S},{k}00 {about} {name} no {k}\n" for k in range(1, 10))


@dataclass
class World:
    """A failing run and everything a bad link could cite."""

    run: Written = field(default_factory=Written)
    ids: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, kind: EvidenceKind, subject: str, second: int, **fields: str) -> str:
        """Evidence that is called `name` from now on."""
        about = fields.get("about", "handle_order")
        words = text(name, second, about=about)
        served = fields.get("served")
        id = self.run.evidence(kind, words, subject, at=later(second), duration_s=2.0, served=served)
        self.ids[name] = id
        return id

    def told(self, name: str, line: int) -> Told:
        """A line of evidence, and the words that stand for it in a chain."""
        return f"{name} came to step {line}", self.run.line_of(self.ids[name], line)

    def walk(self, name: str, first: int, count: int) -> list[WhyLink]:
        """Links from each line of one piece of evidence to the next."""
        return [why(self.told(name, k), self.told(name, k + 1)) for k in range(first, first + count)]


@pytest.fixture(scope="module")
def world() -> World:
    """One run: a test that failed, logs of three services, sources, and what is of other runs and revisions."""
    made = World()
    run, add = made.run, made.add
    test = add("test", "test_result", TEST, AT_S["test"])
    logs = [
        add("edge", "service_log", "log of edge in staging", AT_S["log"]),
        add("named", "service_log", "log of backend in staging", AT_S["log"], about="handle_order edge"),
        add("backend", "service_log", "log of backend in staging", AT_S["log"]),
        add("auth", "service_log", "log of auth in staging", AT_S["log"]),
        add("late", "service_log", "log of edge in staging", AT_S["late"]),
        add("early", "command_output", "suite e2e", AT_S["early"]),
        add("timed", "command_output", "suite e2e", AT_S["log"]),
    ]
    run.ran("c0/execute/e2e", "e2e", test, *logs)
    run.ran("triage/K1/1", "e2e", add("another", "service_log", "log of edge in staging", AT_S["log"]))
    run.ran("again", "e2e", add("older", "command_output", "suite e2e", AT_S["log"]), revision=OLDER)
    asked = DispatchAgent(key="a", agent="sceptic", subject="K1", inputs={}, revision=REVISION)
    sources = [
        add("source", "source", "shop/orders.py lines 1 to 9 of 9", 0),
        add("unread", "source", "shop/orders.py lines 1 to 9 of 9", 0),
        add("stranger", "source", "shop/colours.py lines 1 to 9 of 9", 0, about="paint"),
        add("tried", "command_output", "suite e2e", AT_S["log"]),
    ]
    run.did(asked, DispatchReceipt(agent="sceptic"), *sources)
    add("served", "http_exchange", "probe edge.api", AT_S["log"], served=OLDER)
    run.clustered(TEST)
    return made


@dataclass(frozen=True)
class Plant:
    """A link that does not hold, and one like it that does.

    Attributes:
        said: Why the bad one does not hold.
        bad: What it cites as cause.
        good: What the one like it cites, from which the chain goes on.
        above: Where both come from.
        first: The first place of a chain at which the bad one can stand.
    """

    said: str
    bad: str = "edge"
    good: str = "edge"
    above: str = "test"
    kind: LinkKind = "call_path"
    first: int = 1
    twist: str = ""


PLANTS = {
    "unread": Plant("was never put before the agent that cites it", bad="unread", good="source"),
    "another revision ran": Plant(f"was seen on {OLDER[:10]}", bad="older", good="timed"),
    "another revision answered": Plant(f"was seen on {OLDER[:10]}", bad="served", good="source"),
    "a patch was tried": Plant("was seen with a patch that was only tried", bad="tried", good="timed"),
    "another service": Plant("the test does not need auth", bad="auth"),
    "another run": Plant("is not the log of the run that", bad="another"),
    "another time": Plant("says that at another time than", bad="late"),
    "strangers": Plant("nothing in", bad="stranger", good="source"),
    "two services": Plant("neither names the other", bad="backend", good="named", above="edge", first=2),
    "reversed in time": Plant(
        "its cause is younger than its effect", bad="timed", good="early", kind="time_order"
    ),
    "same observation": Plant("effect and cause are the same observation", twist="same"),
    "almost the same": Plant("effect and cause are the same observation", twist="trimmed"),
    "circular": Plant("it leads back to where the chain has been", twist="circular words"),
    "circular evidence": Plant("it leads back to where the chain has been", twist="circular place", first=2),
    "missing link": Plant(
        "it does not start at the evidence where the link above it ends", twist="elsewhere", first=2
    ),
    "no symptom": Plant("it does not start at what a test of the cluster said", twist="elsewhere"),
    "gap in the words": Plant("it does not start where the link above it ends", twist="other words", first=2),
    "refuted": Plant("its refuter was found", twist="refuted"),
    "unread refuter": Plant("was never put before the agent that cites it", twist="unread refuter"),
    "absent quote": Plant("does not contain", twist="absent"),
}


def planted(world: World, plant: Plant, place: int, *, is_bad: bool) -> tuple[WhyLink, ...]:
    """Five links of which the one at `place`, counted from 1, is the planted one."""
    above = world.walk("test", 0, place - 1)
    if plant.above != "test":
        above = [*above[:-1], why(world.told("test", place - 2), world.told(plant.above, 0))]
    effect = world.told(plant.above, place - 1 if plant.above == "test" else 0)
    good = why(effect, world.told(plant.good, 0), plant.kind)
    link = good
    if is_bad:
        cause = world.told(plant.bad, 0) if plant.bad != plant.good else (good.cause, good.cause_citation)
        link = twisted(world, why(effect, cause, plant.kind), plant.twist)
    below = world.walk(plant.good, 0, LENGTH - place)
    if below:
        # What is below takes up the words of the link above it, whichever that is.
        below[0] = below[0].model_copy(update={"effect": link.cause})
    return (*above, link, *below)


def twisted(world: World, link: WhyLink, twist: str) -> WhyLink:
    """The link with one thing wrong."""
    effect, first = link.effect_citation, world.told("test", 0)
    updates: dict[str, dict[str, object]] = {
        "": {},
        "same": {"cause_citation": effect},
        "trimmed": {"cause_citation": cite(effect.evidence, effect.quote[4:-1])},
        "circular words": {"cause": f"  {first[0].upper()} "},
        "circular place": {"cause_citation": first[1]},
        "elsewhere": {"effect_citation": world.told("source", 0)[1]},
        "other words": {"effect": "something else happened"},
        "refuted": {"refuter": Refuter(looked_for="a green run", found=True)},
        "unread refuter": {
            "refuter": Refuter(looked_for="x", found=False, citation=world.told("unread", 0)[1])
        },
        "absent": {"cause_citation": cite(link.cause_citation.evidence, "never said by anybody")},
    }
    return link.model_copy(update=updates[twist])


def claim(*chain: WhyLink) -> Finding:
    """A why-chain of an agent."""
    return Finding(
        id="F1", kind="why_chain", title="t", statement="s", cluster="K1", chain=chain, dispatch="d"
    )


PLACES = [
    (name, place)
    for name, plant in PLANTS.items()
    for place in range(plant.first, LENGTH + 1 if name != "no symptom" else 2)
]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_chain_is_cut_at_exactly_the_planted_link(world: World, name: str, place: int) -> None:
    """With its good twin the chain holds whole; with the bad one what is above stays, and the rest is supposed."""
    plant = PLANTS[name]
    read = world.run.stored.keys() - {world.ids["unread"]}
    whole = planted(world, plant, place, is_bad=False)
    accepted = world.run.judged(claim(*whole), read=read)
    assert accepted.finding is not None, accepted.reasons
    assert len(accepted.finding.chain) == LENGTH, accepted.finding.hypotheses
    chain = planted(world, plant, place, is_bad=True)
    judgement = world.run.judged(claim(*chain), read=read)
    if place == 1:
        assert judgement.finding is None
        assert judgement.reasons[0].startswith("its first link does not hold: link 1: ")
        assert plant.said in judgement.reasons[0]
        return
    found = judgement.finding
    assert found is not None
    assert [one.cause for one in found.chain] == [one.cause for one in chain[: place - 1]]
    assert [one.partition(" (not shown: ")[0] for one in found.hypotheses] == [
        one.cause for one in chain[place - 1 :]
    ]
    assert all(f"(not shown: link {place}: " in one and plant.said in one for one in found.hypotheses)


def test_a_chain_of_four_holds_as_well(world: World) -> None:
    """Five links are the aim, not a quota."""
    judgement = world.run.judged(claim(*world.walk("test", 0, 4)))
    assert judgement.finding is not None
    assert len(judgement.finding.chain) == 4


@pytest.mark.parametrize(
    ("effect", "cause", "said"),
    [
        ("12:00:10 red", "12:00:09 lost", ""),
        ("12:00:10 red", "12:00:10 lost", ""),
        ("2026-01-01 00:00:01 red", "2025-12-31T23:59:59 lost", ""),
        ("12:00:10,250 red", "12:00:10.249 lost", ""),
        ("12:00:10 red", "12:00:11 lost", "its cause is younger than its effect"),
        ("2025-12-31 23:59:59 red", "2026-01-01T00:00:01 lost", "its cause is younger than its effect"),
        ("it is red", "12:00:09 lost", "order in time needs a time stamp in both quotes"),
        ("12:00:10 red", "it is lost", "order in time needs a time stamp in both quotes"),
        ("12:00:10 red", "99:99:99 lost", "order in time needs a time stamp in both quotes"),
    ],
)
def test_order_in_time_is_read_from_the_quotes(world: World, effect: str, cause: str, said: str) -> None:
    """With or without a day; what is no time is none."""
    origin = world.run.origin(["E1"], read=["E1"])
    above = Citation(evidence="E1", quote=effect, start=0, end=len(effect))
    below = Citation(evidence="E1", quote=cause, start=100, end=100 + len(cause))
    assert unlinked(why(("red", above), ("lost", below), "time_order"), (), origin) == said


@pytest.mark.parametrize("kind", ["intervention", "introduced_by"])
def test_links_that_compare_revisions_may_cite_both(world: World, kind: LinkKind) -> None:
    """An older run is what they are about; a patch that was only tried is not."""
    ids = [world.ids["older"], world.ids["tried"]]
    origin = world.run.origin(ids, read=ids)
    assert unread(world.told("older", 0)[1], origin, kind=kind) == ""
    assert "seen on" in unread(world.told("older", 0)[1], origin)
    assert "only tried" in unread(world.told("tried", 0)[1], origin, kind=kind)


SEEN: dict[str, AnyEffect] = {
    "run": RunSuite(key="k", suite="e2e", tree="t", revision=OLDER),
    "commit": ProbeCommit(key="k", revision=OLDER, protected=REVISION, selections=()),
    "hunks": ProbeHunks(key="k", revision=OLDER, commit=REVISION, hunks=(), selections=()),
    "trace": TraceTests(key="k", revision=OLDER, protected=REVISION, selections=(), paths=()),
    "deployment": Deploy(key="k", deployment="p", tree="t", revision=OLDER, preview=True),
    "dispatch": DispatchAgent(key="k", agent="a", subject="K1", inputs={}, revision=OLDER),
    "probe": ProbeService(key="k", deployment="preview", service="edge"),
}


@pytest.mark.parametrize("name", SEEN)
def test_evidence_is_about_the_revision_that_its_effect_was_run_on(name: str) -> None:
    """Whatever instrument captured it, and although the evidence itself does not say so."""
    run = Written()
    preview = Deploy(key="preview", deployment="preview", tree="t", revision=OLDER, preview=True)
    run.did(preview, DeployReceipt(deployment="preview", revision=OLDER))
    id = run.evidence("source", "some words that stand here\n")
    run.did(SEEN[name], DispatchReceipt(agent=name), id)
    finding = Finding(
        id="F1",
        kind="observation",
        title="t",
        statement="s",
        citations=(cite(id, "some words that stand"),),
        dispatch="d",
    )
    assert run.judged(finding).reasons == (
        f"{id} was seen on {OLDER[:10]}, and this is about {REVISION[:10]}",
    )
    assert run.judged(finding, revision=OLDER).finding is not None
