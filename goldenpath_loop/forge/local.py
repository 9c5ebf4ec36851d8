"""The forge for teams without one at hand: a pull request is a file beside the run that a person can read."""

from __future__ import annotations

import os
from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import PullRequestReceipt

__all__ = ["open_pull_request"]


def open_pull_request(
    folder: Path,
    *,
    branch: str,
    head: Revision,
    base_branch: str,
    title: str,
    body: str,
    draft: bool,
    where: str,
) -> PullRequestReceipt:
    """Write the pull request of `branch` into `folder`, once: one that is there is brought up to date.

    Args:
        folder: The run's folder.
        branch: Head branch; there is never a second pull request for it.
        head: Commit the text is about.
        base_branch: Where it should be merged.
        title: One line.
        body: Markdown.
        draft: Whether its proof is still incomplete.
        where: Where the branch can be found, in words.
    """
    marker = f"<!-- goldenpath: branch={branch} -->"
    number, path, found = _find(folder, marker.encode())
    state = "draft" if draft else "open"
    text = (
        f"{marker}\n# {' '.join(title.split())}\n\n"
        f"| | |\n|---|---|\n| state | {state} |\n| branch | `{branch}` at `{head}` ({where}) |\n"
        f"| into | `{base_branch}` |\n| merge | `git merge {branch}` |\n\n{body}"
    )
    data = text.encode("utf-8", "replace")
    if not found or path.read_bytes() != data:
        _write(path, data)
    return PullRequestReceipt(branch=branch, address=str(path), number=number, draft=draft, found=found)


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
        os.fsync(file.fileno())
    fresh.replace(path)
