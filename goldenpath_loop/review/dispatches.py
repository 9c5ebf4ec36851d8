"""What agents were asked in a run, what came of each question and what it cost: the same facts for every view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, assert_never

from pydantic import AwareDatetime

from goldenpath_loop.core.state import EffectRecord
from goldenpath_loop.errors import LogError, UsageError
from goldenpath_loop.records import agents
from goldenpath_loop.records.agents import AnyAnswer
from goldenpath_loop.records.base import EffectKey, Record
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.receipts import DispatchReceipt, Refusal
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.review.charges import Calls, Charge
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.wording import amount
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.transcripts import read_transcript, transcripts_of

__all__ = [
    "Charge",
    "Dispatch",
    "answer_words",
    "dispatches_of",
    "find_dispatch",
    "total_of",
    "transcript_of",
]

DispatchState = Literal["answered", "inconclusive", "failed", "under way", "cut off"]


class Dispatch(Record):
    """One question to one agent."""

    number: int
    """Its row in the order of asking, from 1."""
    key: EffectKey
    agent: str
    subject: str
    state: DispatchState
    problem: str = ""
    """Why there is no answer."""
    answer: str = ""
    """What was answered, in a few words."""
    passed: int = 0
    """Claims of the answer that passed the gate."""
    rejected: int = 0
    """Claims of the answer that did not."""
    turns: int = 0
    charge: Charge = Charge()
    refusals: tuple[Refusal, ...] = ()
    duration_s: float | None = None
    """From asking to the end; None while there is no end."""
    asked_at: AwareDatetime
    transcript: str = ""
    """File below the run folder, once the log names it."""
    digest: str = ""


def dispatches_of(reading: Reading, *, is_held: bool = False) -> tuple[Dispatch, ...]:
    """Every dispatch of a run, in the order of asking.

    Args:
        reading: The session log, read.
        is_held: Whether some process writes the log now; what is open is then under way, else it was cut off.
    """
    return tuple(
        _dispatch(
            number,
            record,
            record.effect,
            reading.calls.get(key),
            reading.asked_at[key],
            reading,
            is_held=is_held,
        )
        for number, (key, record) in enumerate(
            ((key, one) for key, one in reading.effects.items() if isinstance(one.effect, DispatchAgent)),
            start=1,
        )
        if isinstance(record.effect, DispatchAgent)
    )


def total_of(dispatches: Sequence[Dispatch]) -> Charge:
    """What they cost together."""
    charges = [one.charge for one in dispatches]
    return Charge(
        calls=sum(one.calls for one in charges),
        usage=sum((one.usage for one in charges), Usage()),
        is_least=any(one.is_least for one in charges),
        model_s=sum(one.model_s for one in charges),
    )


def find_dispatch(dispatches: Sequence[Dispatch], name: str) -> Dispatch:
    """The dispatch of that key, with that number, or of whose key `name` is a part.

    Raises:
        UsageError: There is none, or more than one.
    """
    exact = [one for one in dispatches if name in (one.key, str(one.number))]
    found = exact or [one for one in dispatches if name.lower() in one.key.lower()]
    if len(found) == 1:
        return found[0]
    if not dispatches:
        raise UsageError(f"no dispatch called {name}", advice="No agent was asked in this run.")
    if not found:
        keys = ", ".join(f"{one.number} {one.key}" for one in dispatches[:20])
        raise UsageError(f"no dispatch called {name}", advice=f"There is: {keys}.")
    keys = ", ".join(f"{one.number} {one.key}" for one in found[:20])
    raise UsageError(f"{name} fits {len(found)} dispatches", advice=keys)


def transcript_of(folder: RunFolder, dispatch: Dispatch) -> Path | None:
    """Where its conversation stands; None when it has not begun. What a crash cut off has a file of its own."""
    if dispatch.transcript:
        return folder.path / dispatch.transcript
    attempts = transcripts_of(folder, dispatch.key)
    if not attempts:
        return None
    first = next(iter(read_transcript(attempts[-1])), None)
    # Asked for again after a crash: the file of the attempt before is not this one's.
    return attempts[-1] if first is None or _at(first.get("at")) >= dispatch.asked_at else None


def answer_words(answer: AnyAnswer | None) -> str:
    """What an agent answered, in a few words."""
    match answer:
        case None:
            return ""
        case agents.ProposedFindings():
            said = amount(len(answer.findings), "finding") if answer.findings else ""
        case agents.ProposedOrder():
            said = f"order of {amount(len(answer.suites), 'suite')}" if answer.suites else ""
        case agents.Objections():
            stood = f", {amount(len(answer.stood), 'link')} stood" if answer.stood else ""
            said = f"{amount(len(answer.objections), 'objection')}{stood}"
        case agents.ProposedPatch():
            paths = {*answer.intended, *(one.path for one in answer.edits)}
            said = f"patch of {amount(len(paths), 'file')}" if answer.diff.strip() or answer.edits else ""
        case agents.PullRequestText():
            said = "text of a pull request"
        case _:
            assert_never(answer)
    if answer.not_enough_evidence:
        said = f"{said}; " if said else ""
        return f"{said}not enough evidence: {answer.not_enough_evidence}"
    return said or "nothing proposed"


def _dispatch(
    number: int,
    record: EffectRecord,
    effect: DispatchAgent,
    calls: Calls | None,
    asked_at: datetime,
    reading: Reading,
    *,
    is_held: bool,
) -> Dispatch:
    receipt = record.receipt if isinstance(record.receipt, DispatchReceipt) else None
    calls = calls or Calls()
    is_running = is_held and reading.state.finished is None and record.generation == reading.state.generation
    ended = "the run was paused" if reading.state.paused else "the loop ended"
    state, problem = _state(record, receipt, ended, is_running=is_running)
    charge = Charge(
        calls=calls.settled,
        usage=calls.usage,
        is_least=calls.uncounted or bool(calls.open and state != "under way"),
        model_s=round(calls.model_s, 3),
    )
    return Dispatch(
        number=number,
        key=effect.key,
        agent=effect.agent,
        subject=effect.subject,
        state=state,
        problem=problem,
        answer=answer_words(receipt.answer) if receipt else "",
        passed=sum(one.dispatch == effect.key for one in reading.state.findings),
        rejected=sum(one.dispatch == effect.key for one in reading.state.rejected),
        turns=receipt.turns if receipt else calls.answered,
        charge=charge,
        refusals=receipt.refusals if receipt else (),
        duration_s=reading.durations.get(effect.key),
        asked_at=asked_at,
        transcript=receipt.transcript if receipt else "",
        digest=receipt.digest if receipt else "",
    )


def _state(
    record: EffectRecord, receipt: DispatchReceipt | None, ended: str, *, is_running: bool
) -> tuple[DispatchState, str]:
    if receipt is not None:
        return ("answered", "") if receipt.answer is not None else ("inconclusive", receipt.problem)
    if record.status == "failed":
        return "failed", record.error
    return ("under way", "") if is_running else ("cut off", f"{ended} while it was under way")


def _at(stamp: object) -> datetime:
    try:
        return datetime.fromisoformat(str(stamp)).astimezone(UTC)
    except ValueError as error:
        raise LogError("the transcript begins without a time") from error
