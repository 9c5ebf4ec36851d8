"""The forge for teams without one at hand: a pull request is a file beside the run that a person can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import PullRequestReceipt
from goldenpath_loop.system.disk import flush

__all__ = ["PullRequest", "address_of", "open_pull_request", "withdraw"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What is proposed."""

    branch: str
    """Head branch; there is never a second pull request for it."""
    head: Revision
    """Commit the text is about."""
    base_branch: str
    """Where it should be merged."""
    title: str
    """One line."""
    body: str
    """Markdown."""
    draft: bool
    """Whether its proof is still incomplete."""
    where: str
    """Where the branch can be found, in words."""
    unasked: str = ""
    """Why other runs could not be asked whether they opened it already; empty when they could."""

    @property
    def marker(self) -> str:
        """First line of the file, by which it is found again."""
        return f"<!-- goldenpath: branch={self.branch} -->"

    @property
    def text(self) -> str:
        """The whole file."""
        state = "draft" if self.draft else "open"
        others = " ".join(self.unasked.replace("|", "\\|").split())
        return (
            f"{self.marker}\n# {' '.join(self.title.split())}\n\n"
            f"| | |\n|---|---|\n| state | {state} |\n| branch | `{self.branch}` at `{self.head}` ({self.where}) |\n"
            f"| into | `{self.base_branch}` |\n| merge | `git merge {self.branch}` |\n"
            + (
                f"| other runs | could not be asked whether they opened it too: {others} |\n"
                if others
                else ""
            )
            + f"\n{self.body}"
        )


def address_of(folder: Path, proposed: PullRequest) -> Path:
    """Where the file is, or would be."""
    return _find(folder, proposed.marker.encode())[1]


def open_pull_request(folder: Path, proposed: PullRequest) -> PullRequestReceipt:
    """Write `proposed` into the run's `folder`, once: one that is there is brought up to date."""
    number, path, found = _find(folder, proposed.marker.encode())
    data = proposed.text.encode("utf-8", "replace")
    if not found or path.read_bytes() != data:
        _write(path, data)
    return PullRequestReceipt(
        branch=proposed.branch,
        address=str(path),
        number=number,
        draft=proposed.draft,
        found=found,
        problem=proposed.unasked,
    )


def withdraw(folder: Path, proposed: PullRequest) -> None:
    """Take away the file that an engine left which was killed, because the pull request proved to be another run's."""
    _, path, found = _find(folder, proposed.marker.encode())
    if found:
        path.unlink()


def _find(folder: Path, marker: bytes) -> tuple[int, Path, bool]:
    number = 1
    while True:
        path = folder / ("pull_request.md" if number == 1 else f"pull_request-{number}.md")
        if not path.exists():
            return number, path, False
        # Bytes, because the file may be a person's own in whatever encoding.
        if path.read_bytes().startswith(marker):
            return number, path, True
        number += 1


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when the machine stops: the log will say that it is there."""
    fresh = path.with_name(f".{path.name}.part")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        flush(file.fileno())
    fresh.replace(path)
