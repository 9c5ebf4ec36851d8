"""A pull request is one file a branch, found again, and whole or not there."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.forge.local import PullRequest, open_pull_request, withdraw
from goldenpath_loop.records.receipts import PullRequestReceipt

HEAD = "a" * 40


def _proposed(
    branch: str = "goldenpath/one", *, body: str = "Why.\n", draft: bool = True, unasked: str = ""
) -> PullRequest:
    return PullRequest(
        branch=branch,
        head=HEAD,
        base_branch="main",
        title='Revert "ä"\nsecond line',
        body=body,
        draft=draft,
        where="in checkout",
        unasked=unasked,
    )


def _opened(
    folder: Path, branch: str = "goldenpath/one", *, body: str = "Why.\n", draft: bool = True
) -> PullRequestReceipt:
    return open_pull_request(folder, _proposed(branch, body=body, draft=draft))


def test_the_file_says_what_to_merge_where(tmp_path: Path) -> None:
    receipt = _opened(tmp_path)

    assert receipt == PullRequestReceipt(
        branch="goldenpath/one", address=str(tmp_path / "pull_request.md"), number=1, draft=True, found=False
    )
    text = (tmp_path / "pull_request.md").read_text(encoding="utf-8")
    assert '\n# Revert "ä" second line\n' in text
    assert f"| branch | `goldenpath/one` at `{HEAD}` (in checkout) |" in text
    assert "| into | `main` |" in text
    assert "| state | draft |" in text
    assert text.endswith("\n\nWhy.\n")


def test_asking_twice_gives_the_one_that_is_there(tmp_path: Path) -> None:
    _opened(tmp_path)
    before = (tmp_path / "pull_request.md").stat()

    receipt = _opened(tmp_path)

    assert (receipt.number, receipt.found) == (1, True)
    after = (tmp_path / "pull_request.md").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [path.name for path in tmp_path.iterdir()] == ["pull_request.md"]


def test_a_draft_that_is_proven_becomes_open_in_place(tmp_path: Path) -> None:
    _opened(tmp_path)

    receipt = _opened(tmp_path, body="Proven.\n", draft=False)

    assert (receipt.number, receipt.found, receipt.draft) == (1, True, False)
    text = (tmp_path / "pull_request.md").read_text(encoding="utf-8")
    assert "| state | open |" in text
    assert "Why." not in text


def test_each_branch_has_a_file_of_its_own(tmp_path: Path) -> None:
    branches = ["goldenpath/one", "goldenpath/on", "goldenpath/one-2"]

    numbers = [_opened(tmp_path, branch).number for branch in branches]

    assert numbers == [1, 2, 3]
    assert [_opened(tmp_path, branch).number for branch in branches] == [1, 2, 3]
    assert {path.name for path in tmp_path.iterdir()} == {
        "pull_request.md",
        "pull_request-2.md",
        "pull_request-3.md",
    }


def test_a_file_of_somebody_elses_is_left_alone_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "pull_request.md").write_bytes(b"\xff\xfe not ours")

    receipt = _opened(tmp_path)

    assert receipt.number == 2
    assert (tmp_path / "pull_request.md").read_bytes() == b"\xff\xfe not ours"


def test_what_a_killed_engine_left_half_written_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".pull_request.md.part").write_text("<!-- goldenpath: branch=goldenpath/one -->\n# Rev")

    receipt = _opened(tmp_path)

    assert (receipt.number, receipt.found) == (1, False)
    assert [path.name for path in tmp_path.iterdir()] == ["pull_request.md"]


def test_that_nobody_else_could_be_asked_is_said_in_it(tmp_path: Path) -> None:
    receipt = open_pull_request(tmp_path, _proposed(unasked="origin is | away"))

    assert receipt.problem == "origin is | away"
    text = (tmp_path / "pull_request.md").read_text(encoding="utf-8")
    assert (
        "| other runs | could not be asked whether they opened it too: origin is \\| away |\n\nWhy." in text
    )


def test_what_proved_to_be_another_runs_is_taken_away_and_nothing_else(tmp_path: Path) -> None:
    _opened(tmp_path, "goldenpath/one")
    _opened(tmp_path, "goldenpath/two")

    for _ in range(2):
        withdraw(tmp_path, _proposed("goldenpath/one"))

    assert [path.name for path in tmp_path.iterdir()] == ["pull_request-2.md"]
