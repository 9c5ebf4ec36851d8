"""A person's checkout for tests: real git, and a picture of everything in it that must not change."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import EvidenceKind, Obtained

FIRST_SECOND = 1_700_000_000
# What git keeps for itself, and where our own objects, branches and worktrees go.
_MOVING = frozenset({"objects", "refs", "logs", "worktrees", "packed-refs"})


@dataclass
class Checkout:
    """A repository with a person's files in it."""

    root: Path
    clock_s: int = FIRST_SECOND
    frozen: dict[str, object] | None = None

    @classmethod
    def create(cls, root: Path, *, object_format: str = "sha1") -> Checkout:
        root.mkdir(parents=True)
        made = cls(root)
        made.git("init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
        return made

    def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> str:
        """Run git as a person whose settings are all at their defaults."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.test",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.test",
            "GIT_AUTHOR_DATE": f"{self.clock_s} +0000",
            "GIT_COMMITTER_DATE": f"{self.clock_s} +0000",
            **(environment or {}),
        }
        argv = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(
            argv, cwd=folder or self.root, env=env, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def commit(self, message: str = "Change", /, **files: str | bytes | None) -> str:
        """A commit that writes files; None deletes one. Each is a minute younger than the last."""
        return self.change(message, files)

    def change(self, message: str, files: Mapping[str, str | bytes | None]) -> str:
        self.clock_s += 60
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", message)
        return self.head()

    def head(self, name: str = "HEAD") -> str:
        return self.git("rev-parse", name)

    def files(self, revision: str) -> dict[str, str]:
        """Every file of a revision, as text."""
        names = self.git("ls-tree", "-r", "-z", "--name-only", revision).split("\0")
        # The dot keeps the last newline of the file from being taken for the one of the command.
        return {
            name: self.git("cat-file", "--batch=.", stdin=f"{revision}:{name}\n".encode()).removeprefix(".\n")
            for name in names
            if name
        }

    def freeze(self) -> None:
        """From here on nothing of the person's may change; the fixture checks it at the end."""
        self.frozen = self.picture()

    def picture(self) -> dict[str, object]:
        top = Path(self.git("rev-parse", "--absolute-git-dir"))
        refs = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {
            "files": pictured(self.root, without=".git"),
            "git folder": {
                path.name: path.read_bytes() if path.is_file() else pictured(path)
                for path in sorted(top.iterdir())
                if path.name not in _MOVING
            },
            "refs": [row for row in refs if "/goldenpath/" not in row],
            "status": self.git("status", "--porcelain=v2", "--branch"),
            "stash": self.git("stash", "list"),
        }


def pictured(folder: Path, *, without: str = "") -> dict[str, tuple[int, bytes]]:
    """Mode and content of everything in a folder."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            os.fsencode(path.readlink())
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else b"",
        )
        for path in sorted(folder.rglob("*"))
        if not without or without not in path.relative_to(folder).parts
    }


@dataclass(frozen=True)
class Captured:
    id: EvidenceId
    kind: EvidenceKind
    text: str
    subject: str
    obtained: Obtained


@dataclass
class RecordingWitness:
    """Keeps evidence in memory, numbered as the engine would."""

    captured: list[Captured] = field(default_factory=list)

    async def capture(
        self, kind: EvidenceKind, data: bytes, *, subject: str, obtained: Obtained
    ) -> EvidenceId:
        one = Captured(f"E{len(self.captured) + 1}", kind, data.decode("utf-8", "replace"), subject, obtained)
        self.captured.append(one)
        return one.id

    def progress(self, text: str) -> None:
        raise AssertionError("git work is too quick to be told of")

    def text(self, evidence: EvidenceId | None) -> str:
        return next(one.text for one in self.captured if one.id == evidence)
