"""The audit reads both revisions as git holds them, counts what it could not read, and touches nothing."""

from __future__ import annotations

import time

import anyio
import pytest

from goldenpath_loop.audit.tree import audit_tree
from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.receipts import AuditReceipt

from ..repository.checkout import Checkout, RecordingWitness
from ..repository.conftest import checkout, home, witness

__all__ = ["checkout", "home", "witness"]

pytestmark = pytest.mark.anyio


async def _audited(
    repository: Checkout,
    recorder: RecordingWitness,
    base: str,
    *intended: str,
    protected: tuple[str, ...] = ("tests/",),
) -> AuditReceipt:
    repository.freeze()
    return await audit_tree(
        repository.root,
        base=base,
        head=repository.head(),
        intended=intended,
        protected=protected,
        witness=recorder,
    )


async def test_changes_are_sorted_into_intended_and_not(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    base = checkout.change(
        "One", {"a.py": "1", "tests/test_a.py": "1", "tests_util.py": "1", "moved.py": "x = 1\n" * 9}
    )
    checkout.git("mv", "moved.py", "ä b\n.py")
    checkout.change("Two", {"a.py": "2", "tests/test_a.py": "2", "tests_util.py": "2"})

    receipt = await _audited(checkout, witness, base, "a.py", "tests/test_a.py")

    assert set(receipt.changed) == {"a.py", "tests/test_a.py", "tests_util.py", "moved.py", "ä b\n.py"}
    assert set(receipt.unintended) == {"tests_util.py", "moved.py", "ä b\n.py"}
    assert receipt.protected == ("tests/test_a.py",)
    text = witness.text(receipt.evidence)
    assert "protected: tests/test_a.py\n" in text
    assert "not intended: tests_util.py\n" in text


async def test_issues_across_files_are_found_and_quoted(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    base = checkout.change(
        "One",
        {
            "chat/auth.py": "def login(): ...\ndef kept(): ...\n",
            "tests/test_auth.py": "from chat import auth\nauth.login()\n",
            "old sins.py": "def f(): ...\ndef f(): ...\n<<<<<<< HEAD\n",
        },
    )
    checkout.change("Two", {"chat/auth.py": "def kept(): ...\n", "notes.md": "a\n>>>>>>> theirs\n"})

    receipt = await _audited(checkout, witness, base, "chat/auth.py", "notes.md")

    assert [(one.rule, one.path, one.line, one.quote) for one in receipt.issues] == [
        ("conflict-marker", "notes.md", 2, ">>>>>>> theirs"),
        ("lost-name", "tests/test_auth.py", 2, "auth.login()"),
    ]
    assert "tests/test_auth.py:2 [lost-name]" in witness.text(receipt.evidence)
    assert receipt.unread == ("old sins.py",)


async def test_every_file_is_either_read_or_named(checkout: Checkout, witness: RecordingWitness) -> None:
    base = checkout.change("One", {"a.py": "x = 1\n"})
    (checkout.root / "link.py").symlink_to("a.py")
    checkout.change(
        "Two",
        {
            "latin.py": "# coding: latin-1\nx = 'ä'\n".encode("latin-1"),
            "marked.py": b"\xef\xbb\xbfx = 1\n",
            "lying.py": "x = 'ä'\n".encode("latin-1"),
            "unknown.py": b"# coding: martian\n",
            "broken.py": "x = (\n",
            "huge.py": "x = 1\n" * 200_000,
            "new\nline.py": "x = 1\n",
            "empty.py": "",
            "image.png": b"\0\1\2",
            "words.txt": "größe".encode("latin-1"),
        },
    )

    receipt = await _audited(checkout, witness, base)

    assert receipt.unread == ("broken.py", "huge.py", "lying.py", "unknown.py")
    # a, latin, marked, broken, the one with a newline, empty, and the words.
    assert receipt.scanned == 7
    assert [one.rule for one in receipt.issues] == ["syntax"]


async def test_a_submodule_is_another_repository(checkout: Checkout, witness: RecordingWitness) -> None:
    library = Checkout.create(checkout.root.parent / "library.py")
    library.commit(a="1")
    base = checkout.commit(a="1")
    checkout.git("submodule", "--quiet", "add", str(library.root), "library.py")
    checkout.commit(a="2")

    receipt = await _audited(checkout, witness, base)

    assert set(receipt.changed) == {".gitmodules", "library.py", "a"}
    assert receipt.unread == ()


@pytest.mark.parametrize("base", ["main", "--output=/tmp/x", "d" * 40])
async def test_only_commits_that_are_there_are_compared(
    checkout: Checkout, witness: RecordingWitness, base: str
) -> None:
    checkout.commit(a="1")

    with pytest.raises(RepositoryError):
        await _audited(checkout, witness, base)


async def test_a_thousand_files_are_read_in_seconds_while_the_engine_goes_on(
    checkout: Checkout, witness: RecordingWitness
) -> None:
    body = "".join(
        f"def function_{number}(value):\n    '''Words.'''\n    result = value + {number}\n    return result * 2\n\n\n"
        for number in range(40)
    )
    files = {f"pkg{number % 20}/mod{number}.py": f"import json\n\n\n{body}" for number in range(1000)}
    base = checkout.change("One", {**files, "core.py": "def login(): ...\n"})
    checkout.change("Two", {"core.py": "", "pkg3/mod3.py": "from core import login\n"})
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(0.01)
            ticks += 1

    began = time.monotonic()
    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        receipt = await _audited(checkout, witness, base, "core.py")
        group.cancel_scope.cancel()

    assert receipt.scanned == 1001
    assert [(one.rule, one.path) for one in receipt.issues] == [("lost-name", "pkg3/mod3.py")]
    assert time.monotonic() - began < 30
    assert ticks > 10
