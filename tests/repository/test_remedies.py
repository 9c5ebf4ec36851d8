"""A remedy takes back what it says, keeps protected tests, and is the same commit on every machine."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.receipts import RemedyReceipt, WorktreeReceipt
from goldenpath_loop.repository.remedies import compose, revert_commit

from .checkout import Checkout, RecordingWitness
from .homes import hostile_home, named_home

pytestmark = pytest.mark.anyio
BODY = "".join(f"line {number}\n" for number in range(30))


class Workshop:
    """Makes remedies in a checkout."""

    def __init__(self, checkout: Checkout, trees: Path, witness: RecordingWitness) -> None:
        self.checkout, self.trees, self.witness = checkout, trees, witness

    async def revert(
        self, commit: str, *, onto: str | None = None, protected: tuple[str, ...] = ("tests/",)
    ) -> RemedyReceipt:
        self.checkout.freeze()
        return await revert_commit(
            self.checkout.root,
            self.trees / "remedy",
            commit=commit,
            onto=onto or self.checkout.head("main"),
            branch="goldenpath/revert",
            tree="remedy",
            message='Revert "ä"\n\nBecause of tests.\n',
            protected=protected,
            witness=self.witness,
        )

    async def compose(self, base: str, *heads: str) -> WorktreeReceipt:
        return await compose(self.checkout.root, self.trees / "all", base=base, heads=heads, tree="all")

    def is_clean(self, tree: str = "remedy") -> bool:
        state = self.checkout.git("status", "--porcelain", "--ignored", folder=self.trees / tree)
        git_folder = Path(self.checkout.git("rev-parse", "--absolute-git-dir", folder=self.trees / tree))
        return (
            state == ""
            and not (git_folder / "REVERT_HEAD").exists()
            and not (git_folder / "sequencer").exists()
        )


@pytest.fixture
def workshop(checkout: Checkout, trees: Path, witness: RecordingWitness) -> Workshop:
    return Workshop(checkout, trees, witness)


async def test_a_clean_revert_is_one_commit_on_the_base(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {"app.py": "good\r\n", "other.py": "1"})
    culprit = checkout.change("Culprit", {"app.py": "bad\r\n", "added.py": "new"})
    base = checkout.change("Later", {"other.py": "2"})

    receipt = await workshop.revert(culprit)

    assert (receipt.branch, receipt.conflicts, receipt.problem) == ("goldenpath/revert", (), "")
    assert receipt.head is not None
    assert set(receipt.files) == {"app.py", "added.py"}
    assert checkout.files(receipt.head) == {"app.py": "good\r\n", "other.py": "2"}
    assert checkout.git("rev-parse", f"{receipt.head}^") == base
    assert checkout.git("for-each-ref") == f"{base} commit\trefs/heads/main"
    assert checkout.git("rev-parse", "HEAD", folder=workshop.trees / "remedy") == receipt.head
    assert workshop.is_clean()
    message = checkout.git("log", "-1", "--format=%B", receipt.head)
    assert message.strip() == (f'Revert "ä"\n\nBecause of tests.\n\nGoldenpath-Remedy: revert {culprit}')
    parsed = checkout.git("log", "-1", "--format=%(trailers:key=Goldenpath-Remedy,valueonly)", receipt.head)
    assert parsed.strip() == f"revert {culprit}"
    text = workshop.witness.text(receipt.diff)
    assert "--- a/app.py\n" in text
    assert "+good" in text
    assert "\x1b[" not in text


async def test_what_conflicts_stays_as_on_the_base_and_is_named(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {"app.py": "good", "ä b.py": "good"})
    culprit = checkout.change("Culprit", {"app.py": "bad", "ä b.py": "bad"})
    checkout.change("Later", {"ä b.py": "rewritten"})

    receipt = await workshop.revert(culprit)

    assert receipt.head is not None
    assert receipt.conflicts == ("ä b.py",)
    assert checkout.files(receipt.head) == {"app.py": "good", "ä b.py": "rewritten"}
    assert workshop.is_clean()


async def test_a_conflict_in_everything_is_no_remedy_and_leaves_no_trace(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.commit(app="good")
    culprit = checkout.commit(app="bad")
    base = checkout.commit(app="rewritten")

    receipt = await workshop.revert(culprit)

    assert (receipt.head, receipt.conflicts) == (None, ("app",))
    assert receipt.problem == "it conflicts with later changes"
    assert checkout.git("rev-parse", "HEAD", folder=workshop.trees / "remedy") == base
    assert workshop.is_clean()


async def test_a_file_deleted_or_renamed_later_is_a_conflict_that_loses_nothing(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {"dropped.py": BODY, "old.py": BODY + "x\n", "app.py": "good"})
    checkout.git("mv", "old.py", "new.py")
    culprit = checkout.change(
        "Culprit renames", {"dropped.py": BODY + "bad\n", "app.py": "bad", "new.py": BODY + "x\nculprit\n"}
    )
    checkout.change("Later", {"dropped.py": None, "new.py": BODY + "x\nrewritten\n"})

    receipt = await workshop.revert(culprit)

    assert receipt.head is not None
    assert checkout.files(receipt.head) == {"app.py": "good", "new.py": BODY + "x\nrewritten\n"}
    assert "dropped.py" in receipt.conflicts
    assert workshop.is_clean()


async def test_a_file_moved_later_is_mended_where_it_is_now(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {"a.py": BODY})
    culprit = checkout.change("Culprit", {"a.py": BODY.replace("line 7\n", "bad\n")})
    checkout.git("mv", "a.py", "b.py")
    checkout.change("Move", {})

    receipt = await workshop.revert(culprit)

    assert receipt.head is not None
    assert checkout.files(receipt.head) == {"b.py": BODY}
    assert receipt.files == ("b.py",)


async def test_protected_tests_stay_as_they_are_on_the_base(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change(
        "One", {"app.py": "good", "tests/kept.py": "1", "tests/dropped.py": "1", "tests_util.py": "1"}
    )
    culprit = checkout.change(
        "Culprit",
        {
            "app.py": "bad",
            "tests/kept.py": "2",
            "tests/dropped.py": None,
            "tests/added ä.py": "1",
            "tests_util.py": "2",
        },
    )

    receipt = await workshop.revert(culprit)

    assert receipt.head is not None
    assert set(receipt.files) == {"app.py", "tests_util.py"}
    assert checkout.files(receipt.head) == {
        "app.py": "good",
        "tests/kept.py": "2",
        "tests/added ä.py": "1",
        "tests_util.py": "1",
    }


async def test_conflicts_in_protected_tests_do_not_count(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {"app.py": "good", "tests/a.py": "1"})
    culprit = checkout.change("Culprit", {"app.py": "bad", "tests/a.py": "2"})
    checkout.change("Later", {"tests/a.py": "3"})

    receipt = await workshop.revert(culprit, protected=("tests", "nothing/", "*"))

    assert receipt.head is not None
    assert receipt.conflicts == ()
    assert checkout.files(receipt.head) == {"app.py": "good", "tests/a.py": "3"}


async def test_a_commit_of_protected_tests_alone_has_no_remedy(workshop: Workshop) -> None:
    workshop.checkout.change("One", {"app.py": "good", "tests/a.py": "1"})
    culprit = workshop.checkout.change("Culprit", {"tests/a.py": "2"})

    receipt = await workshop.revert(culprit)

    assert (receipt.head, receipt.problem) == (None, "it changes nothing but protected tests")
    assert workshop.is_clean()


async def test_a_change_that_was_taken_back_already_has_no_remedy(workshop: Workshop) -> None:
    workshop.checkout.commit(app="good")
    culprit = workshop.checkout.commit(app="bad")
    workshop.checkout.commit(app="good")

    receipt = await workshop.revert(culprit)

    assert (receipt.head, receipt.problem) == (None, "nothing of the change is left to take back")


async def test_a_merge_is_reverted_against_its_first_parent(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.commit(a="1")
    checkout.git("checkout", "--quiet", "-b", "side")
    checkout.commit(b="side")
    checkout.git("checkout", "--quiet", "main")
    checkout.commit(a="2")
    checkout.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    merge = checkout.head()

    receipt = await workshop.revert(merge)

    assert receipt.head is not None
    assert checkout.files(receipt.head) == {"a": "2"}


async def test_the_first_commit_can_be_taken_back_too(workshop: Workshop) -> None:
    root = workshop.checkout.commit(a="1")
    workshop.checkout.commit(b="1")

    receipt = await workshop.revert(root)

    assert receipt.head is not None
    assert workshop.checkout.files(receipt.head) == {"b": "1"}


async def test_binary_files_and_modes_are_taken_back(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {"blob": b"\0\1", "run": "x"})
    checkout.git("update-index", "--chmod=+x", "run")
    culprit = checkout.change("Culprit", {"blob": b"\0\2", "-dash": "x", ":(top)": "x"})

    receipt = await workshop.revert(culprit)

    assert receipt.head is not None
    assert checkout.git("rev-parse", f"{receipt.head}^{{tree}}") == checkout.git(
        "rev-parse", f"{culprit}^^{{tree}}"
    )


async def test_a_revert_beside_submodules_leaves_them_alone(workshop: Workshop) -> None:
    checkout = workshop.checkout
    library = Checkout.create(checkout.root.parent / "library")
    library.commit(a="1")
    checkout.git("submodule", "--quiet", "add", str(library.root), "library")
    checkout.commit(app="good")
    culprit = checkout.commit(app="bad")

    receipt = await workshop.revert(culprit)

    assert receipt.files == ("app",)
    assert workshop.is_clean()


async def test_the_same_remedy_is_the_same_commit_on_every_machine(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.commit(app="good", other="1")
    culprit = checkout.commit(app="bad")
    checkout.commit(other="2")
    heads: list[str | None] = []
    for number in range(3):
        clone = Checkout(tmp_path / f"clone{number}")
        checkout.git("clone", "--quiet", str(checkout.root), str(clone.root))
        if number < 2:
            named_home(monkeypatch, tmp_path / f"home{number}", name=f"user{number}")
            clone.git("config", "user.name", f"local{number}")
        else:
            hostile_home(monkeypatch, tmp_path / "hostile")
        for _ in range(2):
            workshop = Workshop(clone, tmp_path / f"trees{number}", RecordingWitness())
            heads.append((await workshop.revert(culprit, onto=clone.head("origin/main"))).head)

    assert heads[0] is not None
    assert len(set(heads)) == 1
    who = checkout.git("log", "-1", "--format=%an %ae %cn %ce", str(heads[0]), folder=tmp_path / "clone0")
    assert who == "goldenpath-loop goldenpath-loop@localhost goldenpath-loop goldenpath-loop@localhost"


async def test_conflicts_the_person_once_resolved_are_not_resolved_for_us(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.commit(app="good")
    culprit = checkout.commit(app="bad")
    checkout.commit(app="rewritten")
    remember = ("-c", "rerere.enabled=true", "-c", "rerere.autoUpdate=true")
    with pytest.raises(AssertionError):
        checkout.git(*remember, "revert", "--no-commit", culprit)
    (checkout.root / "app").write_text("resolved once")
    checkout.git("add", "app")
    checkout.git(*remember, "rerere")
    checkout.git("revert", "--abort")

    receipt = await workshop.revert(culprit)

    assert (receipt.head, receipt.conflicts) == (None, ("app",))


@pytest.mark.parametrize("commit", ["main", "--abort", "c" * 40])
async def test_only_a_commit_that_is_there_is_reverted(workshop: Workshop, commit: str) -> None:
    workshop.checkout.commit(a="1")

    with pytest.raises(RepositoryError):
        await workshop.revert(commit)


async def test_a_revert_cancelled_anywhere_can_be_repeated(workshop: Workshop) -> None:
    checkout = workshop.checkout
    checkout.change("One", {f"{number}.py": "good" for number in range(60)})
    culprit = checkout.change("Culprit", {f"{number}.py": "bad" for number in range(60)})
    checkout.change("Later", {"3.py": "rewritten"})
    first = await workshop.revert(culprit)
    for number in range(16):
        with anyio.move_on_after(0.006 * number):
            await workshop.revert(culprit)

    again = await workshop.revert(culprit)

    assert (again.head, again.conflicts) == (first.head, ("3.py",))
    assert workshop.is_clean()


async def _two_remedies(workshop: Workshop) -> tuple[str, str, str]:
    checkout = workshop.checkout
    checkout.commit(one="good", two="good")
    first = checkout.commit(one="bad")
    second = checkout.commit(two="bad")
    heads = [(await workshop.revert(commit)).head for commit in (first, second)]
    assert heads[0] is not None
    assert heads[1] is not None
    return checkout.head("main"), heads[0], heads[1]


async def test_composing_nothing_is_the_base(workshop: Workshop) -> None:
    base = workshop.checkout.commit(a="1")
    workshop.checkout.freeze()

    receipt = await workshop.compose(base)

    assert (receipt.revision, receipt.problem) == (base, "")


async def test_composing_one_remedy_is_that_remedy(workshop: Workshop) -> None:
    base, one, _ = await _two_remedies(workshop)

    receipt = await workshop.compose(base, one)

    assert (receipt.revision, receipt.problem) == (one, "")
    assert workshop.is_clean("all")


async def test_two_remedies_compose_into_one_revision_that_is_always_the_same(workshop: Workshop) -> None:
    base, one, two = await _two_remedies(workshop)

    receipts = [await workshop.compose(base, one, two) for _ in range(2)]

    revision = receipts[0].revision
    assert receipts[0] == receipts[1]
    assert workshop.checkout.files(revision) == {"one": "good", "two": "good"}
    assert workshop.checkout.git("rev-list", "--count", f"{base}..{revision}") == "2"
    assert workshop.checkout.git("rev-parse", "HEAD", folder=workshop.trees / "all") == revision
    assert workshop.is_clean("all")


async def test_a_remedy_that_stands_elsewhere_is_carried_to_the_base(workshop: Workshop) -> None:
    base, one, _ = await _two_remedies(workshop)
    workshop.checkout.commit(three="1")
    newer = workshop.checkout.head()
    workshop.checkout.freeze()

    receipt = await workshop.compose(newer, one)

    assert receipt.revision != one
    assert workshop.checkout.git("rev-parse", f"{receipt.revision}^") == newer
    assert workshop.checkout.files(receipt.revision) == {"one": "good", "two": "bad", "three": "1"}
    assert base != newer


async def test_remedies_that_conflict_are_said_to(workshop: Workshop) -> None:
    checkout = workshop.checkout
    base = checkout.commit(**{"app": "1"})
    checkout.git("checkout", "--quiet", "--detach")
    one = checkout.commit(app="2")
    checkout.git("checkout", "--quiet", "--detach", base)
    two = checkout.commit(app="3")
    checkout.git("checkout", "--quiet", "main")
    checkout.freeze()

    receipt = await workshop.compose(base, one, two)

    assert receipt.problem == f"{two[:10]} does not fit in app"
    assert receipt.revision == one
    assert workshop.is_clean("all")


async def test_the_same_change_twice_is_no_conflict(workshop: Workshop) -> None:
    base, one, two = await _two_remedies(workshop)

    receipt = await workshop.compose(base, one, two, one)

    assert receipt.problem == ""
    assert workshop.checkout.files(receipt.revision) == {"one": "good", "two": "good"}
