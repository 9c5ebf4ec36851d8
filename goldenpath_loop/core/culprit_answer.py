"""What a search for a culprit came to, as a verdict in words a person can check."""

from __future__ import annotations

from goldenpath_loop.core.culprit_evidence import Search
from goldenpath_loop.core.verdicts import Conclusion
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.science import flaky_culprit as science

__all__ = ["culprit_verdict", "is_found"]


def is_found(answer: science.Answer) -> bool:
    """Whether one commit holds enough belief and was seen red, and its parent green."""
    return answer.kind == "culprit" and answer.is_confirmed


def culprit_verdict(subject: str, search: Search, answer: science.Answer) -> Conclusion:
    """The verdict on `subject`.

    Args:
        subject: What failed.
        search: The search, with all of its runs.
        answer: What they add up to.
    """
    statement = _statement(search, answer)
    culprit = search.history[answer.index].revision if answer.index is not None else None
    commits = len({run.index for run in search.runs})
    return Conclusion(
        kind="culprit",
        subject=subject,
        value="confirmed" if is_found(answer) else "suspect" if answer.kind == "culprit" else answer.kind,
        statement=statement,
        measurements=(
            Measurement(name="confidence", value=round(answer.confidence, 6)),
            Measurement(name="commits in range", value=len(search.history)),
            Measurement(name="commits run", value=commits),
            Measurement(name="runs", value=len(search.runs)),
        ),
        because=search.effects,
        revision=culprit,
    )


def _statement(search: Search, answer: science.Answer) -> str:
    spent = f"{counted(search.runs, 'run')} on {counted({run.index for run in search.runs}, 'commit')}"
    name = [f"{commit.revision[:10]} “{commit.subject}”" for commit in search.history]
    match answer.kind:
        case "culprit":
            assert answer.index is not None
            red = sum(run.index == answer.index and run.outcome == "red" for run in search.runs)
            green = sum(run.index == answer.index + 1 and run.outcome == "green" for run in search.runs)
            text = (
                f"{name[answer.index]} turned it red: {answer.confidence:.2%} of belief after {spent}; red in "
                f"{counted(red, 'run')} on it, green in {counted(green, 'run')} on its parent "
                f"{search.history[answer.index + 1].revision[:10]}"
            )
        case "range":
            assert answer.index is not None
            assert answer.oldest is not None
            text = (
                f"one of {answer.oldest - answer.index + 1} commits from {name[answer.oldest]} to "
                f"{name[answer.index]}: those between cannot be run ({spent})"
            )
        case "not_red":
            text = f"it is not red on {name[0]}: there is nothing to search ({spent})"
        case "never_good":
            text = f"it is red on {name[-1]} as well, the oldest commit looked at ({spent})" + search.remark
        case "flaky":
            text = f"it fails now and then on every commit looked at: no commit changed that ({spent})"
        case "environment":
            text = f"what passed there before fails now on the same commit: not the code changed ({spent})"
        case "undecided":
            text = (
                "the runs do not tell the commits apart; most is believed of "
                + (name[answer.index] if answer.index is not None else "none")
                + f" ({spent})"
            )
    if answer.others:
        pairs = ", ".join(search.history[red].revision[:10] for red, _ in answer.others[:3])
        text += f". Older stretches are red too, up to {pairs}: this is why it is red now"
    return text
