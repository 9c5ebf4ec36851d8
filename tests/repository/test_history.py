"""History is the first-parent line with what each commit touched, whatever people called things."""

from __future__ import annotations

import time

import pytest

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.repository.history import list_commits

from .checkout import FIRST_SECOND, Checkout, RecordingWitness

pytestmark = pytest.mark.anyio


async def test_merges_stand_for_what_they_brought_in(checkout: Checkout, witness: RecordingWitness) -> None:
    root = checkout.commit("Root", a="1")
    checkout.git("checkout", "--quiet", "-b", "side")
    checkout.commit("Aside", b="1")
    checkout.git("checkout", "--quiet", "main")
    before = checkout.commit("Main", a="2")
    checkout.git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    merge = checkout.head()
    checkout.freeze()

    receipt = await list_commits(checkout.root, bad=merge, limit=10, witness=witness)

    assert [one.revision for one in receipt.commits] == [merge, before, root]
    assert [one.files for one in receipt.commits] == [("b",), ("a",), ("a",)]
    assert [one.subject for one in receipt.commits] == ["Merge side", "Main", "Root"]
    assert len(receipt.commits[0].parents) == 2
    assert receipt.commits[-1].parents == ()
    assert receipt.complete
    assert f"commit {merge}\n" in witness.text(receipt.evidence)


async def test_odd_names_and_subjects_survive(checkout: Checkout, witness: RecordingWitness) -> None:
    names = [
        "two words.py",
        "ä/ö.py",
        'quo"te.py',
        "-dash.py",
        "new\nline.py",
        "\nleading",
        "tab\t.py",
        ":(glob)*",
        "*",
    ]
    checkout.change("\x01\x02 odd \x1e subject\twith tabs", dict.fromkeys(names, "x"))
    checkout.change("", {})
    raw = checkout.root / "raw"
    raw.mkdir()
    checkout.git("add", "--all")
    blob = checkout.git("hash-object", "-w", "--stdin", stdin=b"raw")
    tree = checkout.git("mktree", "-z", stdin=f"100644 blob {blob}\t".encode() + b"latin-\xe4.py\0")
    message = (
        f"tree {tree}\nauthor Andr\xe9 <a@b> 1 +0000\ncommitter Andr\xe9 <a@b> 1700009999 +9959\n\nCaf\xe9\n"
    )
    strange = checkout.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=message.encode("latin-1"))
    checkout.freeze()

    listed = (await list_commits(checkout.root, bad=checkout.head(), limit=9, witness=witness)).commits
    odd = (await list_commits(checkout.root, bad=strange, limit=9, witness=witness)).commits[0]

    assert (listed[0].subject, listed[0].files) == ("", ())
    assert listed[1].subject == "\x01\x02 odd \x1e subject\twith tabs"
    assert sorted(listed[1].files) == sorted(names)
    assert odd.author == "Andr\N{REPLACEMENT CHARACTER}"
    assert odd.subject == "Caf\N{REPLACEMENT CHARACTER}"
    assert odd.files == ("latin-\N{REPLACEMENT CHARACTER}.py",)
    assert int(odd.committed_at.timestamp()) == 1_700_009_999


async def test_a_limit_is_told_from_the_end(checkout: Checkout, witness: RecordingWitness) -> None:
    for number in range(3):
        checkout.commit(a=str(number))
    checkout.freeze()

    async def listed(limit: int) -> tuple[int, bool]:
        receipt = await list_commits(checkout.root, bad=checkout.head(), limit=limit, witness=witness)
        return len(receipt.commits), receipt.complete

    assert [await listed(limit) for limit in (1, 2, 3, 4)] == [(1, False), (2, False), (3, True), (3, True)]


async def test_a_shallow_clone_never_counts_as_complete(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    for number in range(3):
        checkout.commit(a=str(number))
    clone = Checkout(checkout.root.parent / "clone")
    checkout.git("clone", "--quiet", "--depth=2", f"file://{checkout.root}", str(clone.root))

    receipt = await list_commits(clone.root, bad=clone.head(), limit=10, witness=witness)

    assert (len(receipt.commits), receipt.complete) == (2, False)


@pytest.mark.parametrize("bad", ["main", "--all", "", "a" * 39, "HEAD~1", "a" * 40])
async def test_only_a_commit_that_is_there_is_listed(
    checkout: Checkout, witness: RecordingWitness, bad: str
) -> None:
    checkout.commit(a="1")
    checkout.freeze()

    with pytest.raises(RepositoryError):
        await list_commits(checkout.root, bad=bad, limit=5, witness=witness)
    assert witness.captured == []


async def test_two_thousand_commits_are_read_in_one_go(checkout: Checkout, witness: RecordingWitness) -> None:
    stream = "".join(
        f"commit refs/heads/long\ncommitter Ada <ada@example.test> {FIRST_SECOND + number} +0000\n"
        f"data <<END\nChange {number}\nEND\nM 100644 inline src/{number % 40}.py\ndata <<END\n{number}\nEND\n"
        for number in range(2000)
    )
    checkout.git("fast-import", "--quiet", stdin=stream.encode())
    began = time.monotonic()

    receipt = await list_commits(checkout.root, bad=checkout.head("long"), limit=5000, witness=witness)

    assert len(receipt.commits) == 2000
    assert receipt.complete
    assert receipt.commits[0].subject == "Change 1999"
    assert receipt.commits[1].files == ("src/38.py",)
    assert time.monotonic() - began < 10


async def test_commit_ids_of_sha256_are_commit_ids(checkout: Checkout, witness: RecordingWitness) -> None:
    other = Checkout.create(checkout.root.parent / "sha256", object_format="sha256")
    head = other.commit(a="1")

    receipt = await list_commits(other.root, bad=head, limit=5, witness=witness)

    assert len(receipt.commits[0].revision) == 64
