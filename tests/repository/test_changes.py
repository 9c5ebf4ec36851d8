"""A change is described as git holds it, and tests are placed before or after it by history alone."""

from __future__ import annotations

import pytest

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.receipts import ChangeReceipt
from goldenpath_loop.repository.changes import describe_change

from .checkout import Checkout, RecordingWitness

pytestmark = pytest.mark.anyio


async def _described(
    checkout: Checkout, revision: str, witness: RecordingWitness, *tests: str
) -> ChangeReceipt:
    checkout.freeze()
    return await describe_change(checkout.root, revision=revision, tests=tests, witness=witness)


async def test_hunks_and_evidence_say_what_changed(checkout: Checkout, witness: RecordingWitness) -> None:
    lines = [f"line {number}" for number in range(40)]
    checkout.change("One", {"src/a.py": "\n".join(lines), "gone.py": "x\n", "blob": b"\0\1"})
    lines[3] = "-- a/file"
    lines[8] = "@@ -1 +1 @@"
    checkout.change("Setup", {"src/a.py": "\n".join(lines)})
    lines[3], lines[8] = "++ b/file", "changed"
    revision = checkout.change(
        "Change two lines",
        {"src/a.py": "\n".join(lines), "gone.py": None, "blob": b"\0\2", "ä b.py": "new\n"},
    )

    receipt = await _described(checkout, revision, witness)

    assert receipt.commit.revision == revision
    assert set(receipt.commit.files) == {"src/a.py", "gone.py", "blob", "ä b.py"}
    assert [(one.path, one.removed, one.added) for one in receipt.hunks] == [
        ("gone.py", ("x",), ()),
        ("src/a.py", ("-- a/file",), ("++ b/file",)),
        ("src/a.py", ("@@ -1 +1 @@",), ("changed",)),
        ("ä b.py", (), ("new",)),
    ]
    text = witness.text(receipt.diff)
    assert f"commit {revision}" in text
    assert "\x1b[" not in text
    assert all(hunk.header in text for hunk in receipt.hunks)
    assert "Binary files" in text


async def test_the_first_commit_is_a_change_against_nothing(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    revision = checkout.commit("Root", a="1\n2\n")

    receipt = await _described(checkout, revision, witness)

    assert [(one.path, one.added) for one in receipt.hunks] == [("a", ("1", "2"))]


async def test_a_merge_is_what_it_brought_into_its_first_parent(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    checkout.commit(a="1\n")
    checkout.git("checkout", "--quiet", "-b", "side")
    checkout.commit(b="side\n")
    checkout.git("checkout", "--quiet", "main")
    checkout.commit(a="2\n")
    checkout.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")

    receipt = await _described(checkout, checkout.head(), witness)

    assert receipt.commit.files == ("b",)
    assert [(one.path, one.added) for one in receipt.hunks] == [("b", ("side",))]


async def test_an_empty_commit_and_a_change_of_mode_have_no_hunks(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    checkout.commit(a="1")
    empty = checkout.commit("Nothing")
    checkout.git("update-index", "--chmod=+x", "a")
    checkout.git("commit", "--quiet", "-m", "Mode")
    mode = checkout.head()
    (checkout.root / "a").chmod(0o755)

    assert (await _described(checkout, empty, witness)).hunks == ()
    receipt = await _described(checkout, mode, witness)
    assert (receipt.hunks, receipt.commit.files) == ((), ("a",))


async def test_notes_are_no_part_of_a_commit(checkout: Checkout, witness: RecordingWitness) -> None:
    revision = checkout.commit(a="1")
    checkout.git("notes", "add", "-m", "diff --git a b\nnot part of it", revision)

    receipt = await _described(checkout, revision, witness)

    assert "not part of it" not in witness.text(receipt.diff)


async def test_tests_are_placed_before_or_after_the_change(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    first = checkout.change("Tests", {"tests/test_old.py": "1", "tests/test_along.py": "1"})
    culprit = checkout.change("Culprit", {"app.py": "broken", "tests/test_along.py": "2"})
    later = checkout.change("Later", {"tests/test_new.py": "1"})
    tests = (
        "tests/test_old.py::test_a",
        "tests/test_old.py::test_b[x::y]",
        "tests/test_along.py::test_c",
        "tests/test_new.py::test_d",
        "suite.Class::not_a_file",
        "../outside.py::test",
        "/etc/passwd",
        "tests",
    )

    receipt = await _described(checkout, culprit, witness, *tests)

    found = {one.id: one for one in receipt.origins}
    assert [one.id for one in receipt.origins] == list(tests[:4])
    assert [one.existed for one in receipt.origins] == [True, True, True, False]
    assert [one.changed_along for one in receipt.origins] == [False, False, True, False]
    assert [one.first_commit for one in receipt.origins] == [first, first, first, later]
    assert found[tests[3]].first_committed_at is not None
    text = witness.text(receipt.origins_evidence)
    assert "tests/test_old.py: existed before the change\n" in text
    assert "tests/test_new.py: did not exist before the change\n" in text
    assert f"the change: {culprit}" in text


async def test_a_renamed_test_is_as_old_as_under_its_first_name(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    body = "".join(f"def test_{number}(): ...\n" for number in range(30))
    first = checkout.change(
        "Tests", {"tests/first.py": body, "tests/second.py": body.replace("test", "check")}
    )
    checkout.git("mv", "tests/first.py", "tests/between.py")
    checkout.change("Rename before", {})
    checkout.git("mv", "tests/second.py", "tests/along.py")
    culprit = checkout.change("Culprit renames one", {"app.py": "broken"})
    checkout.git("mv", "tests/between.py", "tests/now.py")
    checkout.change("Rename after", {})
    checkout.change("Copy", {"tests/copied.py": body})

    receipt = await _described(
        checkout, culprit, witness, "tests/now.py::a", "tests/along.py::b", "tests/copied.py::c"
    )

    now, along, copied = receipt.origins
    assert (now.existed, now.first_commit, now.changed_along) == (True, first, False)
    assert (along.existed, along.first_commit, along.changed_along) == (True, first, True)
    assert (copied.existed, copied.changed_along) == (False, False)
    text = witness.text(receipt.origins_evidence)
    assert "tests/now.py: existed before the change\n  renamed from tests/between.py" in text


async def test_a_test_added_on_another_branch_only_is_known_too(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    culprit = checkout.commit(a="1")
    checkout.git("checkout", "--quiet", "-b", "topic")
    checkout.change("Test", {"tests/test_a.py": "1"})
    checkout.git("checkout", "--quiet", "main")

    receipt = await _described(checkout, culprit, witness, "tests/test_a.py::test")

    assert [one.existed for one in receipt.origins] == [False]


async def test_without_tests_there_is_no_evidence_about_them(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    receipt = await _described(checkout, checkout.commit(a="1"), witness)

    assert (receipt.origins, receipt.origins_evidence) == ((), None)
    assert [one.kind for one in witness.captured] == ["diff"]


@pytest.mark.parametrize("revision", ["main", "--all", "HEAD:a", "b" * 40])
async def test_only_a_commit_that_is_there_is_described(
    checkout: Checkout, witness: RecordingWitness, revision: str
) -> None:
    checkout.commit(a="1")

    with pytest.raises(RepositoryError):
        await _described(checkout, revision, witness)
