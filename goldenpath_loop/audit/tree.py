"""Reads both versions of a tree through git and writes what the rules say as evidence."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import anyio.to_thread

from goldenpath_loop.audit.rules import audit
from goldenpath_loop.audit.source import Version
from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import AuditReceipt
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, run

__all__ = ["audit_tree"]

_LIMIT_BYTES = 1_000_000
_BATCH_BYTES = 32_000_000
_ROW = re.compile(
    rb"(?P<mode>\d+) (?P<kind>\w+) (?P<blob>[0-9a-f]+) +(?P<size>\d+|-)\t(?P<path>.+)", re.DOTALL
)
_COMMIT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


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
    for revision in (base, head):
        if not _COMMIT_ID.fullmatch(revision):
            raise RepositoryError(f"{revision[:80]!r} is not a full commit id")
    listed = await _git(root, "diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head)
    changed = tuple(_readable(path) for path in listed.split(b"\0") if path)
    among = frozenset(changed)
    before = await _version(root, base, among, whole=False)
    after = await _version(root, head, among, whole=True)
    # In a thread: parsing a large tree takes seconds, in which the rest of the engine goes on.
    outcome = await anyio.to_thread.run_sync(audit, before.version, after.version, among)
    receipt = AuditReceipt(
        changed=changed,
        unintended=tuple(path for path in changed if path not in intended),
        protected=tuple(path for path in changed if _is_below(path, protected)),
        issues=outcome.issues,
        scanned=len(after.version.files),
        unread=tuple(sorted({*before.unread, *after.unread, *outcome.unparsed})),
        blind=tuple(sorted(path for path in after.unread if path in among and path.endswith(".py"))),
    )
    evidence = await witness.capture(
        "audit",
        _text(receipt, base, head).encode(),
        subject=f"audit of {head[:10]} against {base[:10]}",
        obtained=Obtained(
            how=f"git diff-tree -r --name-only {base} {head}; audit of the files of both",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
        ),
    )
    return receipt.model_copy(update={"evidence": evidence})


def _is_below(path: str, prefixes: Sequence[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(prefix) for prefix in prefixes)


def _readable(path: bytes) -> str:
    return path.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Read:
    version: Version
    unread: list[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    blob: bytes
    size: int


async def _version(root: Path, revision: Revision, changed: frozenset[str], *, whole: bool) -> _Read:
    """The changed files of a revision and, for the `whole` of it, every Python file."""
    listed = await _git(root, "ls-tree", "-r", "-l", "-z", "--full-tree", revision)
    wanted = [
        entry for entry in _entries(listed) if entry.path in changed or (whole and entry.path.endswith(".py"))
    ]
    files: dict[str, str] = {}
    unread = [entry.path for entry in wanted if entry.size > _LIMIT_BYTES]
    for batch in _batches([entry for entry in wanted if entry.size <= _LIMIT_BYTES]):
        asked = b"".join(entry.blob + b"\n" for entry in batch)
        data = await _git(root, "cat-file", "--batch", stdin=asked)
        position = 0
        for entry in batch:
            # `<id> blob <size>`, a newline, the content, a newline.
            begin = data.index(b"\n", position) + 1
            position = begin + entry.size + 1
            text = _decoded(entry.path, data[begin : begin + entry.size])
            if text is not None:
                files[entry.path] = text
            elif entry.path.endswith(".py"):
                unread.append(entry.path)
    return _Read(Version(files), unread)


def _entries(listed: bytes) -> Iterator[_Entry]:
    """Regular files: a link is read where it leads to, and a submodule is another repository."""
    for row in listed.split(b"\0"):
        found = _ROW.fullmatch(row)
        if found and found["kind"] == b"blob" and found["mode"] != b"120000":
            yield _Entry(_readable(found["path"]), found["blob"], int(found["size"]))


def _batches(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    batch: list[_Entry] = []
    weight = 0
    for entry in entries:
        if batch and weight + entry.size > _BATCH_BYTES:
            yield batch
            batch, weight = [], 0
        batch.append(entry)
        weight += entry.size
    if batch:
        yield batch


def _decoded(path: str, content: bytes) -> str | None:
    """The text of a file; None when it has none."""
    try:
        if path.endswith(".py"):
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            return content.decode(encoding)
        return None if b"\0" in content else content.decode("utf-8", "replace")
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return None


def _text(receipt: AuditReceipt, base: Revision, head: Revision) -> str:
    lines = [
        f"audit of {head} against {base}",
        f"changed files: {len(receipt.changed)}, not intended: {len(receipt.unintended)}, "
        f"protected: {len(receipt.protected)}",
        f"files read: {receipt.scanned}, not read: {len(receipt.unread)}",
        f"new issues: {len(receipt.issues)}",
        *(f"not intended: {path}" for path in receipt.unintended),
        *(f"protected: {path}" for path in receipt.protected),
        *(f"not read: {path}" for path in receipt.unread),
        *(f"{one.path}:{one.line} [{one.rule}] {one.message}: {one.quote}" for one in receipt.issues),
    ]
    return "\n".join(lines) + "\n"


async def _git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Plumbing only, which the person's settings do not bend."""
    command = Command(
        ("git", *arguments),
        cwd=root,
        env=own_environment({"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}),
        stdin=stdin,
        timeout_s=300.0,
        max_output_bytes=512_000_000,
        is_bookkeeping=True,
    )
    done = await run(command, separate=True)
    if done.exit_code != 0 or done.truncated:
        detail = done.errors.decode("utf-8", "replace").strip().splitlines()
        raise RepositoryError(detail[0] if detail else "git did not answer", where=f"git {arguments[0]}")
    return done.output
