"""A run in which agents were asked, written with the real session log and real transcripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from goldenpath_loop.records.agents import AnyAnswer, Objections, ProposedFinding, ProposedFindings
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.events import (
    CycleStarted,
    EffectRequested,
    EffectSettled,
    FindingAppended,
    FindingRejected,
    RunFinished,
    UsageRecorded,
    UsageReserved,
)
from goldenpath_loop.records.evidence import Citation, Obtained
from goldenpath_loop.records.findings import Finding
from goldenpath_loop.records.receipts import DispatchReceipt, Refusal
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.transcripts import Transcript
from goldenpath_loop.system import clock
from goldenpath_loop.testing import paper_policy, paper_run

__all__ = ["NASTY", "Talk", "observation", "write_talks"]

NASTY = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b5m \u202eback\u202c \x08\x7f [bold]markup[/bold]"
REVISION = "6ead2c6a22fe66948e69b645b7dafb53f466e4ff"
QUOTE = "KeyError: 'no_such_thread'"
LOG = f"Traceback (most recent call last):\n{QUOTE}\n"
_BRIEF = """# Why is it red?

Say why.

## Cluster

<<<
# no heading, somebody else's words
K1: ConnectionClosedError
>>>

## Evidence

<<<
E1 service_log log of backend 60 bytes
<evidence id="E1" kind="service_log" tag="00aa">
## no heading either
Traceback (most recent call last):
</evidence 00aa>
>>>
"""


def observation(evidence: str = "E1") -> ProposedFindings:
    """An answer that cites the service's log."""
    claim = ProposedFinding(
        kind="observation",
        title="The backend raises KeyError",
        statement="It stands in its log.",
        citations=(Citation(evidence=evidence, quote=QUOTE),),
    )
    return ProposedFindings(findings=(claim,))


@dataclass
class Talk:
    """One dispatch while it is written; nothing is settled until `settle`."""

    session: Session
    key: str = "c1/analyse/K1/1"
    agent: str = "failure_analyst"
    subject: str = "K1"
    used: Usage = field(default_factory=Usage)
    calls: int = 0
    turns: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def __enter__(self) -> Self:
        effect = DispatchAgent(
            key=self.key, agent=self.agent, subject=self.subject, inputs={}, revision=REVISION
        )
        self.session.append(EffectRequested(effect=effect))
        self.file = Transcript(self.session.folder, self.key, Redactor())
        self.write(
            "brief",
            agent=self.agent,
            subject=self.subject,
            revision=REVISION,
            model="paper",
            system="You are one member of a team.\nYou decide nothing.",
            brief=_BRIEF,
            tools=["read_evidence", "try_patch"],
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.__exit__(kind, error, trace)

    def write(self, type: str, **content: Any) -> None:
        """One line of the transcript."""
        self.file.write(type, clock.now().isoformat(), **content)

    def reserve(self) -> None:
        """The model is asked."""
        self.calls += 1
        most = Usage(prompt_tokens=2000, answer_tokens=4096, cost_usd=0.05, is_estimated=True)
        self.session.append(UsageReserved(dispatch=self.key, call=self.calls, model="paper", most=most))

    def reply(self, text: str = "", *calls: tuple[str, str], usage: Usage | None = None) -> None:
        """The model is asked and answers."""
        self.reserve()
        usage = usage or Usage(prompt_tokens=1000, cached_tokens=750, answer_tokens=20, cost_usd=0.0123)
        self.used += usage
        self.turns += 1
        self.session.append(UsageRecorded(dispatch=self.key, call=self.calls, usage=usage, duration_s=0.5))
        made = [
            {"id": f"call_{self.turns}_{number}", "name": name, "arguments": arguments}
            for number, (name, arguments) in enumerate(calls)
        ]
        self.write(
            "reply",
            text=text,
            calls=made,
            finish="tool_calls" if calls else "stop",
            cached=usage.cached_tokens,
            usage=self.used.model_dump(mode="json"),
            cost_usd=usage.cost_usd,
            latency_s=0.5,
        )

    def tool(self, name: str, arguments: str, result: str) -> None:
        """What the first tool of the latest turn returned."""
        self.write("tool", id=f"call_{self.turns}_0", name=name, arguments=arguments, result=result)

    def refuse(self, *reasons: str) -> None:
        """The gate is not content."""
        self.refusals.append(Refusal(turn=self.turns, reasons=reasons))
        self.write("rejected", reasons=list(reasons))
        self.write("told", text="These claims were refused:\n" + "\n".join(f"- {one}" for one in reasons))

    def settle(
        self, answer: AnyAnswer | None = None, problem: str = "", *, read: tuple[str, ...] = ("E1",)
    ) -> DispatchReceipt:
        """The end."""
        self.write(
            "end",
            answer=answer.model_dump(mode="json") if answer else None,
            problem=problem,
            turns=self.turns,
            usage=self.used.model_dump(mode="json"),
        )
        receipt = DispatchReceipt(
            agent=self.agent,
            answer=answer,
            problem=problem,
            read=read,
            refusals=tuple(self.refusals),
            turns=self.turns,
            usage=self.used,
            transcript=self.file.relative,
            digest=self.file.digest(),
        )
        self.session.append(EffectSettled(key=self.key, receipt=receipt, duration_s=1.25))
        return receipt


def begin(session: Session) -> None:
    """The first lines of a run, and one piece of evidence."""
    session.append(paper_run(paper_policy()))
    session.append(CycleStarted(cycle=1))
    obtained = Obtained(how="cat", started_at=clock.now() - timedelta(seconds=1), duration_s=0.1)
    session.capture(
        "service_log", LOG.encode(), subject="log of backend", obtained=obtained, effect="c1/execute/unit"
    )


def write_talks(folder: RunFolder, *, said: str = "") -> RunFolder:
    """An analyst whose claim passed after one refusal, a sceptic without an answer, and a finished run.

    Args:
        folder: Where to.
        said: What a tool returns beside what it always does.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    with Session(folder) as session:
        begin(session)
        with Talk(session) as talk:
            talk.reply("", ("read_evidence", '{"id": "E1", "start": 0}'))
            inner = "\n".join([LOG + said, *(f"line {number}" for number in range(40))])
            result = f'<evidence id="E1" kind="service_log" tag="00bb">\n{inner}\n</evidence 00bb>'
            talk.tool("read_evidence", '{"id": "E1", "start": 0}', result)
            talk.reply('{"findings": ["a first try"]}' + said)
            talk.refuse(f"The moon did it: E9 was never put before the agent that cites it{said}")
            talk.reply('{"findings": ["a second try"]}')
            talk.settle(observation())
        at = LOG.index(QUOTE)
        claim = Finding(
            id="F1",
            kind="observation",
            title="The backend raises KeyError",
            statement="It stands in its log.",
            citations=(Citation(evidence="E1", quote=QUOTE, start=at, end=at + len(QUOTE)),),
            dispatch="c1/analyse/K1/1",
        )
        session.append(FindingAppended(finding=claim, causes=("E1",)))
        moon = claim.model_copy(update={"id": "F2", "title": "The moon did it"})
        session.append(FindingRejected(proposed=moon, reasons=("E9 is not evidence of this run",)))
        with Talk(session, key="c1/doubt/K1/1", agent="sceptic") as talk:
            guess = Usage(prompt_tokens=800, answer_tokens=10, cost_usd=1.5, is_estimated=True)
            talk.reply("", ("try_patch", '{"diff": "' + "x" * 300 + '"}'), usage=guess)
            talk.tool("try_patch", "{}", "refused: it touches tests")
            talk.write("put_aside", results=["call_1_0"])
            talk.reserve()
            talk.session.append(
                UsageRecorded(dispatch=talk.key, call=talk.calls, usage=Usage(), problem="silent for 5 s")
            )
            talk.write(
                "fault",
                kind="timeout",
                message="the server was silent for 5 s",
                usage=talk.used.model_dump(mode="json"),
                cost_usd=0.0,
                latency_s=5.0,
            )
            talk.turns += 1
            talk.settle(None, "the server was silent for 5 s")
        with Talk(session, key="c1/fix/K1/1", agent="fixer") as talk:
            talk.reply("nothing to do")
            talk.settle(Objections(not_enough_evidence="no log of the edge"))
        session.append(RunFinished(outcome="inconclusive", reason="the evidence ends", exit_code=11))
    return folder
