"""Takes some hunks of an old commit back in a worktree that stands at a later one."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.repository.diff_text import parse_diff
from goldenpath_loop.repository.git import Git, checked
from goldenpath_loop.science.hunks.compose import parts, taken_back

__all__ = ["Composed", "take_back"]

_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


@dataclass(frozen=True, slots=True)
class Composed:
    """What became of the worktree."""

    patch: str = ""
    """Its difference from the commit it stands at, as `git apply` takes it."""
    problem: str = ""
    """Why the hunks could not be taken back there; the worktree then says nothing."""


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
    by_path: dict[str, list[Hunk]] = {}
    for number in chosen:
        by_path.setdefault(hunks[number].path, []).append(hunks[number])
    for path, some in by_path.items():
        everything = len(some) == sum(hunk.path == path for hunk in hunks)
        problem = await _one_file(git, folder, commit, path, some, is_whole=everything)
        if problem:
            return Composed(problem=problem)
    patch = await git.run(*_DIFF, "HEAD", "--")
    return Composed(patch=patch.decode("utf-8", "surrogateescape"))


async def _hunks(git: Git, commit: Revision) -> tuple[Hunk, ...]:
    shown = ("show", "--first-parent", "-m", "--format=", "--no-renames", "--no-prefix", "-U0")
    text = await git.run(*shown, "--no-ext-diff", "--no-textconv", "--no-color", commit, "--")
    return parts(parse_diff(text.decode("utf-8", "replace")))


async def _one_file(
    git: Git, folder: Path, commit: Revision, path: str, some: list[Hunk], *, is_whole: bool
) -> str:
    left = await git.attempt("show", f"{commit}:{path}")
    before = await git.attempt("cat-file", "-e", f"{commit}^:{path}")
    place = folder / path
    if left.exit_code != 0:
        # The change deleted it: taking that back brings the old file back, unless somebody made a new one.
        if place.exists():
            return f"{path} was made anew by a later change"
        old = await git.run("show", f"{commit}^:{path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(old)
        return ""
    if not place.exists():
        return f"{path} was removed by a later change"
    try:
        text, now = left.output.decode("utf-8"), place.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return f"{path} is no text"
    if is_whole and before.exit_code != 0:
        if now != text:
            return f"{path} was added by the change and changed by later ones"
        place.unlink()
        return ""
    wanted = taken_back(text, some)
    if wanted is None:
        return f"a hunk of {path} does not fit"
    merged = wanted if now == text else await _merged(git, now=now, base=text, wanted=wanted)
    if merged is None:
        return f"later changes stand in the way in {path}"
    if path.endswith(".py") and _parses(now) and not _parses(merged):
        return f"{path} would not be Python any more"
    place.write_bytes(merged.encode())
    return ""


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
