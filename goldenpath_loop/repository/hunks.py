"""Takes some hunks of an old commit back on top of a later one, and says which of them cannot be."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import HunkFitReceipt, HunkMisfit
from goldenpath_loop.repository.diff_text import parse_diff
from goldenpath_loop.repository.git import Git, checked
from goldenpath_loop.science.hunks.compose import parts, taken_back

__all__ = ["Composed", "fit_hunks", "take_back"]

_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


@dataclass(frozen=True, slots=True)
class Composed:
    """What became of the worktree."""

    patch: str = ""
    """Its difference from the commit it stands at, as `git apply` takes it."""
    problem: str = ""
    """Why the hunks could not be taken back there; the worktree then says nothing."""


@dataclass(frozen=True, slots=True)
class _File:
    """What a file would become: its bytes, or nothing when it goes, or why it cannot be said."""

    data: bytes | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Sides:
    """One file before the change, after it, and now; None where it is not there."""

    before: bytes | None
    left: bytes | None
    now: bytes | None


async def take_back(folder: Path, *, commit: Revision, chosen: Sequence[int]) -> Composed:
    """Reverse the hunks `chosen` of `commit` in the files of the worktree in `folder`.

    Each file is the commit's own text with the hunks reversed, merged three-way with what later commits made of it.

    Args:
        folder: A clean worktree at the commit's descendant.
        commit: Whose change it is, against its first parent.
        chosen: Numbers of the parts of its hunks, in the order of the change.

    Raises:
        RepositoryError: The commit is not there.
        ProcessError: Git could not be started.
    """
    git = Git(folder)
    hunks = await _hunks(git, checked(commit))
    for path in dict.fromkeys(hunks[number].path for number in chosen):
        some = [number for number in chosen if hunks[number].path == path]
        wanted = await _without(git, await _sides(git, commit, "HEAD", path), hunks, some)
        if wanted.problem:
            return Composed(problem=wanted.problem)
        place = folder / path
        if wanted.data is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(wanted.data)
    patch = await git.run(*_DIFF, "HEAD", "--")
    return Composed(patch=patch.decode("utf-8", "surrogateescape"))


async def fit_hunks(root: Path, *, commit: Revision, onto: Revision) -> HunkFitReceipt:
    """Which hunks of `commit` cannot be taken back on `onto` by themselves, and which only with their neighbours.

    Raises:
        RepositoryError: A commit is not there.
        ProcessError: Git could not be started.
    """
    git = Git(root)
    hunks = await _hunks(git, checked(commit))
    misfits: list[HunkMisfit] = []
    bound: list[tuple[int, ...]] = []
    for path in dict.fromkeys(hunk.path for hunk in hunks):
        sides = await _sides(git, commit, checked(onto), path)
        all_of = [number for number, hunk in enumerate(hunks) if hunk.path == path]
        for place, number in enumerate(all_of):
            problem = ""
            for some in _widened(all_of, place):
                tried = await _without(git, sides, hunks, some)
                problem = problem or tried.problem
                if not tried.problem:
                    bound += [tuple(some)] if len(some) > 1 else []
                    break
            else:
                misfits.append(HunkMisfit(number=number, problem=problem))
    return HunkFitReceipt(misfits=tuple(misfits), bound=tuple(dict.fromkeys(bound)))


def _widened(numbers: Sequence[int], place: int) -> Iterator[Sequence[int]]:
    """One of `numbers`, then it with a neighbour, with both, and all of them."""
    yield numbers[place : place + 1]
    for begin, after in ((place, place + 2), (place - 1, place + 1), (place - 1, place + 2)):
        if begin >= 0 and after <= len(numbers):
            yield numbers[begin:after]
    if len(numbers) > 1:
        yield numbers


async def _hunks(git: Git, commit: Revision) -> tuple[Hunk, ...]:
    shown = ("show", "--first-parent", "-m", "--format=", "--no-renames", "--no-prefix", "-U0")
    text = await git.run(*shown, "--no-ext-diff", "--no-textconv", "--no-color", commit, "--")
    return parts(parse_diff(text.decode("utf-8", "replace")))


async def _sides(git: Git, commit: Revision, onto: str, path: str) -> _Sides:
    shown = [await git.attempt("show", f"{name}:{path}") for name in (f"{commit}^", commit, onto)]
    before, left, now = (one.output if one.exit_code == 0 else None for one in shown)
    return _Sides(before, left, now)


async def _without(git: Git, sides: _Sides, hunks: Sequence[Hunk], some: Sequence[int]) -> _File:
    """One file with `some` of the hunks reversed; all of them are of that file."""
    path = hunks[some[0]].path
    if sides.left is None:
        # The change deleted it: taking that back brings the old file back, unless somebody made a new one.
        is_back = sides.now is not None
        return _File(problem=f"{path} was made anew by a later change") if is_back else _File(sides.before)
    if sides.now is None:
        return _File(problem=f"{path} was removed by a later change")
    if sides.before is None and len(some) == sum(hunk.path == path for hunk in hunks):
        is_same = sides.now == sides.left
        return _File() if is_same else _File(problem=f"{path} is new and was changed by later commits")
    try:
        text, now = sides.left.decode("utf-8"), sides.now.decode("utf-8")
    except UnicodeDecodeError:
        return _File(problem=f"{path} is no text")
    wanted = taken_back(text, [hunks[number] for number in some])
    if wanted is None:
        return _File(problem=f"a hunk of {path} does not fit")
    merged = wanted if now == text else await _merged(git, now=now, base=text, wanted=wanted)
    if merged is None:
        return _File(problem=f"later changes stand in the way in {path}")
    if path.endswith(".py") and _parses(now) and not _parses(merged):
        return _File(problem=f"{path} would not be Python any more")
    return _File(merged.encode())


async def _merged(git: Git, *, now: str, base: str, wanted: str) -> str | None:
    """`now` with the step from `base` to `wanted`; None when the two conflict."""
    with tempfile.TemporaryDirectory() as scratch:
        names = []
        for name, text in (("now", now), ("base", base), ("wanted", wanted)):
            place = Path(scratch) / name
            place.write_bytes(text.encode())
            names.append(str(place))
        done = await git.attempt("merge-file", "-p", "-q", *names)
    return done.output.decode("utf-8") if done.exit_code == 0 else None


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
