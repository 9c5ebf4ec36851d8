"""Where no code is to blame no story about code is believed; where some is, the true story is believed whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from goldenpath_loop.records.effects import DescribeChange, DispatchAgent
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, LinkKind, WhyLink
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import ChangeReceipt, DispatchReceipt

from ..benchmarks.gate_evidence import open_shop
from ..model_server.behaviours.liar import LIES, forge, honest
from .builders import NOON, PARENT, REVISION
from .written import Written, cite, later, why

SEEDS = range(15)
KINDS = ("flaky", "unresolved", "environment", "setting", "green")
_FILES = {
    "shop/cart.py": (
        "def total_of(cart, currency='EUR'):",
        "    if response.status != 200 and not expected:",
        "        raise ValueError(f'no price for {item.name}')",
        "    return sum(price_of(item) for item in cart.items)",
        "    timeout = settings.get('timeout', 30)",
        "    rows = [row for row in result.rows if row.state == 'open']",
    ),
    "shop/sockets.py": (
        "async def connect(self, host, port):",
        "    self.connection = await open_connection(host, port)",
        "    for event in self.events[:limit]:",
        "        await self.send(event.message, timeout=5)",
        "    except ConnectionResetError as error:",
        "    assert len(self.events) < self.most_events",
    ),
    "shop/session.py": (
        "def session_for(request, user):",
        "    token = request.headers.get('authorization')",
        "    if user.is_expired(now) or token is None:",
        "        return Response(status=503, message='unavailable')",
        "    database = database_of(settings)",
        "    return Session(user=user, connection=database.connect())",
    ),
}
_SYMPTOMS = {
    "flaky": "AssertionError: expected 3 events, got 2 within the timeout",
    "unresolved": "TimeoutError: no message from the socket after 5 s",
    "environment": "ConnectionRefusedError: [Errno 111] connection to db:5432 refused",
    "setting": "AssertionError: GET /api/orders answered status 503, expected 200",
    "green": "test answered status 200 as expected, 3 events",
}
_LOGGED = {
    "environment": "ERROR {service} connection to database db:5432 refused, name does not resolve",
    "setting": "ERROR {service} DATABASE_URL is not set, every request will be answered with 503",
}


@dataclass
class Session:
    """A run in which nobody's code is to blame, and what it has to cite."""

    kind: str
    run: Written = field(default_factory=Written)
    test: str = ""
    logs: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    diff: str = ""

    def anything(self, rng: random.Random, *ids: str) -> Citation:
        """A true quote of one of `ids`."""
        id = rng.choice(ids)
        return cite(id, str(honest(id, self.run.stored[id].decode(), rng)["quote"]))

    @property
    def symptom(self) -> tuple[str, Citation]:
        """What the test said."""
        return "the test fails", cite(self.test, _SYMPTOMS[self.kind])


def opened(kind: str, rng: random.Random) -> Session:
    """A session of one kind; everything in it was measured, nothing in it is the code's fault."""
    made = Session(kind)
    run, test = made.run, f"tests/e2e/test_orders.py::test_list[{rng.randint(1, 99)}]"
    begins = later(rng.randint(30, 3000))
    said = [f"test: {test}", "outcome: " + ("green" if kind == "green" else "red"), _SYMPTOMS[kind]]
    said += [f"    step {number} of the test took {rng.randint(1, 99)} ms" for number in range(80)]
    said += ["place: tests/e2e/test_orders.py:41 in test_list"]
    made.test = run.evidence("test_result", "\n".join(said), test, at=begins, duration_s=2.0)
    for service in ("edge", "backend", "auth"):
        lines = [
            f"{later(n):%Y-%m-%d %H:%M:%S} INFO {service} request {rng.randint(1, 999)} served"
            for n in range(60)
        ]
        if kind in _LOGGED and service == "backend":
            lines.append(f"{begins:%Y-%m-%d %H:%M:%S} " + _LOGGED[kind].format(service=service))
        made.logs.append(run.evidence("service_log", "\n".join(lines), f"log of {service} in staging"))
    run.ran("c0/execute/e2e", "e2e", made.test, *made.logs, outcome="green" if kind == "green" else "red")
    for path, lines_of in _FILES.items():
        text = "\n".join(rng.choice(lines_of) for _ in range(60)) + "\n"
        made.sources.append(run.evidence("source", text, f"{path} lines 1 to 60 of 60"))
    asked = DispatchAgent(key="earlier", agent="sceptic", subject="K1", inputs={}, revision=REVISION)
    run.did(asked, DispatchReceipt(agent="sceptic"), *made.sources)
    changed = "\n".join(f"+{rng.choice(rng.choice(list(_FILES.values())))}" for _ in range(30))
    made.diff = run.evidence("diff", f"commit {REVISION}\n{changed}\n", REVISION)
    commit = Commit(revision=REVISION, parents=(PARENT,), subject="s", author="a", committed_at=NOON)
    change = DescribeChange(key="change/aaaa", revision=REVISION)
    run.did(change, ChangeReceipt(commit=commit, diff=made.diff), made.diff)
    if kind != "green":
        run.clustered(test, triage=kind if kind in ("flaky", "unresolved") else "regression")
    return made


def lied(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """A link whose cause is cited falsely."""
    while True:
        id = rng.choice([session.test, *session.logs, *session.sources, session.diff])
        try:
            lie = forge(
                rng.choice([one for one in LIES if one != "stale"]), id, session.run.stored[id].decode(), rng
            )
        except ValueError:
            continue
        return (why(session.symptom, ("a line of code", Citation.model_validate(lie))),)


def blamed(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """Some line of some file, quoted truly, that has nothing to do with the failure."""
    kind: LinkKind = rng.choice(("call_path", "configuration"))
    cause = session.anything(rng, *session.sources, session.diff)
    return (why(session.symptom, (f"line {cause.quote[:20]} is wrong", cause), kind),)


def introduced(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """A commit that no search has looked at."""
    cause = cite(session.diff, f"commit {REVISION}")
    return (why(session.symptom, ("a commit", cause), "introduced_by", measured_by=("confirm/aaaa/K1",)),)


def intervened(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """Runs that were never made."""
    cause = session.anything(rng, session.diff)
    runs = ("confirm/aaaa/K1", "confirm/bbbb/K1", "c0/execute/e2e")
    return (why(session.symptom, ("a change", cause), "intervention", measured_by=runs),)


def preceded(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """A line of code before a failure in time, of which neither says when it was."""
    return (why(session.symptom, ("a line", session.anything(rng, *session.sources)), "time_order"),)


def overheard(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """What a service that the test does not need, or any at another time, has said."""
    quote = session.run.line_of(session.logs[2], rng.randrange(60))
    return (
        why(session.symptom, ("auth is overloaded", quote)),
        why(("auth is overloaded", quote), ("its loop", session.anything(rng, *session.sources))),
    )


def begun_elsewhere(session: Session, rng: random.Random) -> tuple[WhyLink, ...]:
    """Two lines of code that call each other, and no test at the top."""
    one, other = (session.run.line_of(session.sources[0], 0), session.anything(rng, session.sources[0]))
    return (why(("the cart is wrong", one), ("a price is missing", other)),)


Invention = Callable[[Session, random.Random], tuple[WhyLink, ...]]
INVENTIONS: tuple[Invention, ...] = (
    lied, blamed, introduced, intervened, preceded, overheard, begun_elsewhere
)  # fmt: skip


def claim(
    chain: tuple[WhyLink, ...], *, citations: tuple[Citation, ...] = (), cluster: str = "K1"
) -> Finding:
    """A why-chain as an agent proposes it."""
    return Finding(
        id="F1",
        kind="why_chain",
        title="t",
        statement="s",
        cluster=cluster,
        citations=citations,
        chain=chain,
        dispatch="d",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_invented_cause_is_believed(kind: str, seed: int) -> None:
    """Whatever is invented, and although a true quote stands beside it."""
    rng = random.Random(f"{kind}{seed}")
    session = opened(kind, rng)
    cluster = "" if kind == "green" else "K1"
    believed = []
    for invention in INVENTIONS:
        for citations in ((), (session.symptom[1],)):
            for _ in range(4):
                chain = invention(session, rng)
                found = session.run.judged(claim(chain, citations=citations, cluster=cluster)).finding
                if found is not None and found.chain:
                    believed.append(found.chain[0].cause_citation.quote)
    assert believed == []


@pytest.mark.parametrize("seed", range(50))
def test_a_true_story_is_believed_whole(seed: int) -> None:
    """From the test's words to the change, and every beginning of it."""
    shop = open_shop(random.Random(seed))
    for length in range(1, len(shop.story) + 1):
        finding = claim(shop.story[:length])
        judgement = shop.run.judged(finding, read=shop.read)
        assert judgement.finding is not None, judgement.reasons
        assert len(judgement.finding.chain) == length, judgement.finding.hypotheses


@pytest.mark.parametrize("kind", ["environment", "setting"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_services_said_is_believed(kind: str, seed: int) -> None:
    """That the system around the code is broken is a cause too, and the log that says so leads to it."""
    session = opened(kind, random.Random(seed))
    said = session.run.line_of(session.logs[1], 60)
    found = session.run.judged(claim((why(session.symptom, ("the backend cannot work", said)),))).finding
    assert found is not None
    assert len(found.chain) == 1
