"""Reads both versions of a tree through git and writes what the rules say as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goldenpath_loop.audit.rules import Version, audit, parse
from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import AuditReceipt
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock
from goldenpath_loop.system.process import Command, own_environment, run

__all__ = ["audit_tree"]

_LIMIT_BYTES = 1_000_000


async def audit_tree(
    root: Path,
    *,
    base: Revision,
    head: Revision,
    intended: Sequence[str],
    protected: Sequence[str],
    witness: Witness,
) -> AuditReceipt:
    """Compare `head` with `base`.

    Raises:
        RepositoryError: Git could not read one of them.
    """
    started_at, began = clock.now(), clock.monotonic_s()
    changed = _paths(await _git(root, "diff", "--name-only", "--no-renames", "-z", base, head))
    before, unread_before = await _version(root, base)
    after, unread_after = await _version(root, head)
    broken = [path for path, text in after.files.items() if isinstance(parse(text), SyntaxError)]
    issues = audit(before, after, frozenset(changed))
    receipt = AuditReceipt(
        changed=changed,
        unintended=tuple(path for path in changed if path not in intended),
        protected=tuple(path for path in changed if any(path.startswith(prefix) for prefix in protected)),
        issues=issues,
        scanned=len(after.files),
        unread=tuple(sorted({*unread_before, *unread_after, *broken})),
    )
    evidence = await witness.capture(
        "audit",
        _text(receipt, base, head).encode(),
        subject=f"audit of {head[:10]} against {base[:10]}",
        obtained=Obtained(
            how=f"git diff --name-only {base} {head}; audit of the Python files of both",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
        ),
    )
    return receipt.model_copy(update={"evidence": evidence})


def _paths(listed: bytes) -> tuple[str, ...]:
    return tuple(path for path in listed.decode("utf-8", "replace").split("\0") if path)


async def _version(root: Path, revision: Revision) -> tuple[Version, list[str]]:
    paths = [path for path in _paths(await _git(root, "ls-tree", "-r", "-z", "--name-only", revision))]
    wanted = [path for path in paths if path.endswith(".py")]
    asked = "".join(f"{revision}:{path}\n" for path in wanted if "\n" not in path)
    data = await _git(root, "cat-file", "--batch", stdin=asked.encode())
    files: dict[str, str] = {}
    unread = [path for path in wanted if "\n" in path]
    position = 0
    for path in (one for one in wanted if "\n" not in one):
        end = data.index(b"\n", position)
        header = data[position:end].split(b" ")
        if len(header) != 3 or header[1] != b"blob":
            unread.append(path)
            position = end + 1
            continue
        size = int(header[2])
        content = data[end + 1 : end + 1 + size]
        position = end + 1 + size + 1
        try:
            if size > _LIMIT_BYTES:
                raise ValueError("too large")
            files[path] = content.decode("utf-8")
        except ValueError:
            unread.append(path)
    return Version(files), unread


def _text(receipt: AuditReceipt, base: Revision, head: Revision) -> str:
    lines = [
        f"audit of {head} against {base}",
        f"changed files: {len(receipt.changed)}, not intended: {len(receipt.unintended)}, "
        f"protected: {len(receipt.protected)}",
        f"Python files read: {receipt.scanned}, not read: {len(receipt.unread)}",
        f"new issues: {len(receipt.issues)}",
        *(f"not intended: {path}" for path in receipt.unintended),
        *(f"protected: {path}" for path in receipt.protected),
        *(f"not read: {path}" for path in receipt.unread),
        *(f"{one.path}:{one.line} [{one.rule}] {one.message}: {one.quote}" for one in receipt.issues),
    ]
    return "\n".join(lines) + "\n"


async def _git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = Command(
        ("git", "-c", "core.quotePath=false", *arguments),
        cwd=root,
        env=own_environment({"LC_ALL": "C"}),
        stdin=stdin,
        timeout_s=300.0,
        max_output_bytes=512_000_000,
    )
    done = await run(command, separate=True)
    if done.exit_code != 0 or done.truncated:
        detail = done.errors.decode("utf-8", "replace").strip().splitlines()
        raise RepositoryError(detail[0] if detail else "git did not answer", where=f"git {arguments[0]}")
    return done.output
