"""The remote as we see it: what stands there, and one ref moved at a time and only from where it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.repository.git import Git, said
from goldenpath_loop.repository.locks import release_refs
from goldenpath_loop.system.process import Completed

__all__ = ["Moved", "Remote", "remote_called"]

_HOOKS_TIMEOUT_S = 900.0
"""People let whole test suites run before a push."""
_LOCKED_TRIES = 4


@dataclass(frozen=True, slots=True)
class Moved:
    """How moving a ref went."""

    now: Revision | None
    """Where it stands; None when it is not there or the remote does not say."""
    problem: str = ""
    """Why it does not stand where it was meant to, one sentence."""


@dataclass(frozen=True, slots=True)
class Remote:
    """One remote of a repository.

    Args:
        git: The repository.
        name: What the person calls the remote.
        place: What to look at to see a push: the remote, or where it pushes to when that is another place.
        folders: Where git keeps refs that a push from here writes: this repository's own, and the remote's when it
            lies on this machine.
    """

    git: Git
    name: str
    place: str
    folders: tuple[Path, ...]

    async def standing(self, *refs: str) -> tuple[dict[str, Revision], str]:
        """Where `refs` stand, by full name; the sentence when nobody can be asked."""
        listed = await self.git.attempt("ls-remote", "--refs", "--", self.place, *refs, timeout_s=60.0)
        if listed.exit_code != 0:
            return {}, f"{self.name} cannot be reached: {said(listed)}"
        # Git matches the end of names, so others than the ones asked for may be listed.
        rows = (row.partition("\t") for row in listed.output.decode("utf-8", "replace").split("\n"))
        return {name: revision for revision, _, name in rows if name in refs}, ""

    async def fetch(self, ref: str) -> None:
        """Get what `ref` points at, if it can be had."""
        # Into nothing but the object store: neither FETCH_HEAD nor a tracking branch of the person's changes.
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=")
        await self.git.attempt("fetch", *quiet, "--", self.place, ref)

    async def move(self, ref: str, to: Revision, *, standing: Revision | None) -> Moved:
        """Let `ref` point at `to` if it still stands where it was seen, None for not at all.

        What the push says matters less than where the ref stands afterwards: another engine may have done the same.
        """
        for left in reversed(range(_LOCKED_TRIES)):
            for folder in self.folders:
                await release_refs(folder, self._written(ref))
            done = await self._push(ref, to, standing)
            found, problem = await self.standing(ref)
            now = found.get(ref)
            if now == to or problem or now != standing or not (left and _is_locked(done)):
                break
        if now == to:
            return Moved(now)
        if done.exit_code == 0 and not problem:
            problem = (
                "the push was taken, and somebody else moved it at once" if now else "the push does not show"
            )
        return Moved(now, problem or f"the push was refused: {_why(done)}")

    def _written(self, ref: str) -> tuple[str, ...]:
        branch = ref.removeprefix("refs/heads/")
        return (ref,) if branch == ref else (ref, f"refs/remotes/{self.name}/{branch}")

    async def _push(self, ref: str, to: Revision, standing: Revision | None) -> Completed:
        return await self.git.attempt(
            "push",
            "--no-follow-tags",
            "--no-signed",
            "--recurse-submodules=no",
            # An empty expectation means: only if it is not there.
            f"--force-with-lease={ref}:{standing or ''}",
            "--",
            self.name,
            f"{to}:{ref}",
            as_the_user=True,
            timeout_s=_HOOKS_TIMEOUT_S,
        )


async def remote_called(root: Path, name: str) -> Remote | None:
    """The remote called `name`; None when there is none.

    Raises:
        ProcessError: Git could not be started.
    """
    git = Git(root)
    fetches = await git.attempt("remote", "get-url", "--", name)
    pushes = await git.attempt("remote", "get-url", "--push", "--", name)
    if fetches.exit_code != 0 or pushes.exit_code != 0:
        return None
    address = pushes.output.decode("utf-8", "surrogateescape").strip()
    place = name if fetches.output == pushes.output else address
    folders = [await _refs_of(root), await _refs_of(root / address.removeprefix("file://"))]
    return Remote(git, name, place, tuple(folder for folder in folders if folder))


async def _refs_of(folder: Path) -> Path | None:
    """Where git keeps the refs of the repository in `folder`; None when that is no folder of this machine."""
    if not folder.is_dir():
        return None
    common = await Git(folder).attempt("rev-parse", "--git-common-dir")
    if common.exit_code != 0:
        return None
    # Git answers relative to where it was asked.
    return folder / common.output.decode("utf-8", "surrogateescape").strip()


def _is_locked(done: Completed) -> bool:
    """Whether another push wrote the very ref, or a killed one left its lock."""
    return any(sign in done.errors for sign in (b"lock", b"failed to update ref"))


def _why(done: Completed) -> str:
    """The words of who refused, one line."""
    lines = [one.strip() for one in done.errors.decode("utf-8", "replace").splitlines()]
    words = [one for one in lines if one.startswith(("! [", "remote: "))]
    if done.ended != "exited" or not words:
        return said(done)
    return "; ".join(words)[:300]
