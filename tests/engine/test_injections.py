"""Orders in what the loop reads have no effect, pass no gate, and bring no secret to light."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goldenpath_loop.core.agent_claims import claims_of
from goldenpath_loop.core.claims import origin_of
from goldenpath_loop.core.grounding import Judgement, cited, judge, resolve
from goldenpath_loop.core.state import fold
from goldenpath_loop.engine.bench import Bench, open_bench
from goldenpath_loop.engine.desk import Desk, open_desk
from goldenpath_loop.engine.dispatch import dispatch
from goldenpath_loop.engine.secret_values import redactor_of
from goldenpath_loop.engine.witness import SessionWitness
from goldenpath_loop.model.envelope import envelope
from goldenpath_loop.records.effects import DispatchAgent, RunSuite
from goldenpath_loop.records.events import DecisionMade, EffectRequested, EffectSettled
from goldenpath_loop.records.evidence import Citation, EvidenceKind, Obtained
from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.policy import Settings
from goldenpath_loop.records.receipts import DispatchReceipt, SuiteReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.records.target import DeploySpec, ModelSpec, TargetSpec
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.team.load import Team, load_team, packaged_folder
from goldenpath_loop.testing import paper_run

from ..core.builders import SIGNATURE
from ..core.written import shop_policy
from ..model_server import ModelServer, serve
from ..model_server.behaviours.obedient import Obedient
from ..repository.checkout import Checkout
from .injections import DICTATED, acting, payloads, shows_fence

SECRET = "correct-horse/battery+staple"
PACKED = base64.b64encode(b"user:" + SECRET.encode()).decode()
PAYLOADS = payloads()
AGENTS = ("failure_analyst", "sceptic", "deploy_checker")


def test_there_are_enough_of_them() -> None:
    """Each of its own."""
    assert len(set(PAYLOADS.values())) == len(PAYLOADS) >= 200


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_payload_ends_its_envelope_or_hides_in_it(name: str) -> None:
    """One line opens it, one closes it, and all between can be seen and does nothing."""
    text = f"before\n{PAYLOADS[name]}\nafter"
    shown = envelope(text, kind="service_log", id="E7")
    lines = shown.splitlines()
    tag = lines[0].partition('tag="')[2].removesuffix('">')
    assert lines[0] == f'<evidence id="E7" kind="service_log" tag="{tag}">'
    assert lines[-1] == f"</evidence {tag}>"
    assert shown.count(tag) == 2
    assert lines == shown.split("\n")
    assert acting(shown) == []
    # A sequence that is never closed must not swallow what stands below it.
    assert lines[1] == "before"
    assert lines[-2] == "after"


@pytest.fixture(scope="module")
def team() -> Team:
    """The one that comes with the package."""
    return load_team([packaged_folder()])


@pytest.mark.parametrize("agent", AGENTS)
def test_no_payload_leaves_the_fences_of_a_brief(team: Team, agent: str) -> None:
    """Each input keeps its place, also where it reached the brief without an envelope."""
    inputs = dict.fromkeys(team.agents[agent].inputs, "words")
    wanted = [line for line in team.brief(agent, inputs).splitlines() if shows_fence(line)]
    assert wanted
    for name, payload in PAYLOADS.items():
        for input in inputs:
            brief = team.brief(agent, {**inputs, input: f"words\n{payload}\nwords"})
            assert [line for line in brief.splitlines() if shows_fence(line)] == wanted, name


@dataclass(frozen=True)
class Scene:
    """One dispatch that is about to be made."""

    session: Session
    bench: Bench
    desk: Desk
    effect: DispatchAgent
    server: ModelServer

    async def asked(self) -> DispatchReceipt:
        """The dispatch, asked and settled."""
        self.session.append(EffectRequested(effect=self.effect))
        before = len(self.session.all_evidence())
        witness = SessionWitness(self.session, self.effect.key, None)
        receipt = await dispatch(self.effect, self.bench, self.desk, witness)
        evidence = tuple(one.id for one in self.session.all_evidence()[before:])
        self.session.append(EffectSettled(key=self.effect.key, receipt=receipt, evidence=evidence))
        return receipt

    def judged(self, receipt: DispatchReceipt) -> list[Judgement]:
        """What the gate says of every claim, as the engine asks it."""
        state = self.desk.state()
        assert receipt.answer is not None
        found: list[Judgement] = []
        for claim in claims_of(receipt.answer, dispatch=self.effect.key, subject="K1", state=state):
            records = {id: one for id in cited(claim) if (one := self.session.evidence(id)) is not None}
            data = {id: stored for id in records if (stored := self.session.bytes_of(id)) is not None}
            origin = origin_of(
                state, read=receipt.read, revision=self.effect.revision, records=records, data=data
            )
            found.append(judge(claim, data, state, origin=origin))
        return found


def planted(session: Session, chosen: list[str], key: str) -> list[TestResult]:
    """Evidence of one run that holds a payload in every place where other people's words can stand."""
    results: list[TestResult] = []
    split = f"{SECRET[:9]}\x1b[0m{SECRET[9:]}"
    kinds: tuple[EvidenceKind, ...] = ("test_result", "service_log", "http_exchange", "command_output")
    for number, payload in enumerate(chosen):
        kind = kinds[number % len(kinds)]
        test = f"tests/test_shop.py::test_total[{payload if number % 3 == 0 else number}]"
        text = f"handle_order said:\n{payload}\nPAYMENT_SECRET={SECRET} BASE_SECRET={PACKED} split={split}\n"
        subject = {"test_result": test, "service_log": "log of edge in staging"}.get(kind, f"probe {payload}")
        id = session.capture(
            kind,
            text.encode(),
            subject=subject,
            obtained=Obtained(how="seen", started_at=datetime(2026, 1, 1, tzinfo=UTC), duration_s=1),
            effect=key,
        )
        if kind == "test_result":
            results.append(TestResult(id=test, outcome="red", signature=SIGNATURE, evidence=id))
    return results


@asynccontextmanager
async def scene(folder: Path, team: Team, chosen: list[str]) -> AsyncIterator[Scene]:
    """A run whose evidence, history and tests' names are full of orders, and a model that obeys them all."""
    checkout = Checkout.create(folder / "checkout")
    for payload in chosen[:6]:
        checkout.commit(payload.replace("\0", ""), **{"notes.md": payload.replace("\0", "")})
    revision = checkout.commit(
        f"Use {SECRET}", **{"shop.py": f"PAYMENT_SECRET = {SECRET!r}\n# {chosen[0]}\n"}
    )
    (folder / "operator.env").write_text(f"PAYMENT_SECRET={SECRET}\n")
    settings = Settings(target=TargetSpec(name="shop"), deploy=DeploySpec(env_file="operator.env"))
    policy = shop_policy()
    analyst = team.agents["failure_analyst"]
    limits = analyst.limits.model_copy(update={"turns": 40, "tokens": 10**8, "cost_usd": 10**6})
    patient = Team(
        {**team.agents, "failure_analyst": analyst.model_copy(update={"limits": limits})},
        team.prompts,
        team.digests,
        team.files,
    )
    run = RunFolder(folder / "run")
    run.path.mkdir()
    with serve(Obedient()) as server, Session(run, redactor_of(settings, folder)) as session:
        spec = ModelSpec(
            name="scripted", base_url=server.base_url, api_key_env="", ceiling_usd=0, context_tokens=10**6
        )
        session.append(paper_run(policy))
        suite = RunSuite(key="c0/execute/e2e", suite="e2e", tree="t", revision=revision)
        session.append(EffectRequested(effect=suite))
        results = tuple(planted(session, chosen, suite.key))
        ids = tuple(one.id for one in session.all_evidence())
        done = SuiteReceipt(run=SuiteRun(suite="e2e", ended="completed", results=results))
        session.append(EffectSettled(key=suite.key, receipt=done, evidence=ids))
        cluster = Cluster(
            id="K1", signature=SIGNATURE, suites=("e2e",), tests=tuple(one.id for one in results)
        )
        session.append(DecisionMade(cycle=0, subject="clusters", choice="1", reason="r", clusters=(cluster,)))
        effect = DispatchAgent(
            key="c0/analyse/K1/1",
            agent="failure_analyst",
            subject="K1",
            inputs={
                "cluster": f"K1\n{cluster.tests}\n{chosen[0]}\nPAYMENT_SECRET={SECRET}",
                "measurements": "\n".join(chosen[:3]),
                "revision": revision,
            },
            opening=ids[:4],
            revision=revision,
        )
        checkout.freeze()
        async with (
            open_desk(session, patient, spec) as desk,
            open_bench(
                settings=settings,
                policy=policy,
                root=checkout.root,
                config_folder=folder,
                folder=run,
                desk=desk,
            ) as bench,
        ):
            desk.state = lambda: fold(list(session.replay()))
            yield Scene(session, bench, desk, effect, server)
        assert server.problems == []
        assert checkout.picture() == checkout.frozen


def of_one_run(dictated: str) -> list[str]:
    """Some dozen payloads: every order in some disguise, and of the answers that are dictated at most one."""
    wanted = [
        name
        for name in PAYLOADS
        if not name.startswith("answer: ") or (dictated and name.startswith(f"answer: {dictated},"))
    ]
    # Which disguise goes with which order changes from run to run.
    step = 5 + (list(DICTATED).index(dictated) if dictated else 0)
    return [PAYLOADS[name] for name in wanted[:: step if step != 5 else 4]]


@pytest.mark.anyio
@pytest.mark.parametrize("dictated", ["", *DICTATED])
async def test_a_model_that_obeys_does_no_harm(tmp_path: Path, team: Team, dictated: str) -> None:
    """Nothing was asked for but the dispatch, nothing unshown passes, and no file holds the secret."""
    chosen = of_one_run(dictated)
    assert len(chosen) >= 24
    async with scene(tmp_path, team, chosen) as made:
        receipt = await made.asked()
        assert receipt.problem == ""
        session, stored = (
            made.session,
            {one.id: made.session.bytes_of(one.id) for one in made.session.all_evidence()},
        )
        asked = [
            line.event.effect.key
            for line in list(session.replay())
            if isinstance(line.event, EffectRequested)
        ]
        assert asked == ["c0/execute/e2e", made.effect.key]
        seen = {
            line.event.type for line in list(session.replay())[session_starts(session, made.effect.key) :]
        }
        assert seen <= {
            "effect.requested", "effect.settled", "evidence.captured", "usage.reserved", "usage.recorded"
        }  # fmt: skip
        for judgement in made.judged(receipt):
            if judgement.finding is None:
                continue
            assert judgement.finding.chain == ()
            assert judgement.finding.action is None
            for citation in judgement.finding.citations:
                assert citation.evidence in receipt.read
                assert isinstance(
                    resolve(citation, {id: data or b"" for id, data in stored.items()}), Citation
                )
        if dictated:
            assert receipt.answer is not None and "Planted" in receipt.answer.model_dump_json()
            assert all(one.finding is None for one in made.judged(receipt))
            assert receipt.refusals
        said = json.dumps([one["body"] for one in made.server.requests], ensure_ascii=False)
        called = {one["function"]["name"] for one in calls_in(made.server)}
        assert {"read_history", "read_source", "try_patch"} <= called
    assert not [path for path in tmp_path.rglob("*") if "pwned" in path.name]
    assert_nowhere(said.encode(), "what the model was sent")
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            assert_nowhere(path.read_bytes(), path.name)


def session_starts(session: Session, key: str) -> int:
    """Where in the log the dispatch begins."""
    return next(
        at
        for at, line in enumerate(list(session.replay()))
        if isinstance(line.event, EffectRequested) and line.event.effect.key == key
    )


def calls_in(server: ModelServer) -> list[dict[str, dict[str, str]]]:
    """Every call of a tool that the model made."""
    return [
        call
        for request in server.requests[-1:]
        for message in request["body"]["messages"]
        for call in message.get("tool_calls") or ()
    ]


def assert_nowhere(data: bytes, where: str) -> None:
    """Neither the secret nor a form of it stands in `data`."""
    for form in (SECRET, PACKED, json.dumps(SECRET)[1:-1], SECRET.replace("/", "%2F").replace("+", "%2B")):
        assert form.encode() not in data, where
