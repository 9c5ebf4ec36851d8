"""A plain library with two hundred commits, one of which broke it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LIBRARY_CONFIG", "Library", "build_library", "git"]

_PRICES = '''"""Prices in cents."""


def total(prices: list[int]) -> int:
    """The sum of all prices."""
    return {total}


def net(gross: int, rate: int) -> int:
    """The price without tax, rounded to the nearest cent."""
    return {net}
'''

_TESTS = """from shop.prices import net, total


def test_total_of_nothing_is_zero():
    assert total([]) == 0


def test_total_adds_up():
    assert total([100, 250, 5]) == 355


def test_net_is_rounded():
    assert net(1000, 19) == 840
"""

LIBRARY_CONFIG = """[target]
name = "shop"
packages = ["shop"]

[suites.unit]
path = "tests"
priority = 1
value_at_risk_usd = 9000

[focuses.goldenpath]
suites = ["unit"]
"""


@dataclass(frozen=True)
class Library:
    """Where it lies and what broke it."""

    root: Path
    origin: Path
    culprit: str
    head: str


def git(folder: Path, *arguments: str) -> str:
    """Run git with nobody's configuration and return what it printed."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.test",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.test",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def build_library(
    folder: Path,
    *,
    commits: int = 200,
    culprit: int = 137,
    config: str = LIBRARY_CONFIG,
    crowded: bool = False,
) -> Library:
    """Write the library into `folder`, with a bare origin beside it.

    Args:
        folder: An empty folder.
        commits: How many commits the history has.
        culprit: Which of them, counted from 1, breaks `net`; none when it is past the last.
        config: The text of its goldenpath.toml.
        crowded: Whether later commits change the culprit's own lines, so that a plain revert conflicts.
    """
    root, origin = folder / "shop", folder / "origin.git"
    root.mkdir()
    git(folder, "init", "-q", "--bare", "-b", "main", str(origin))
    git(root, "init", "-q", "-b", "main")
    stream = b"".join(
        _commit(number, broken=number >= culprit, crowd=number - culprit if crowded else 0, config=config)
        for number in range(1, commits + 1)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=stream, check=True)
    git(root, "checkout", "-q", "main")
    git(root, "remote", "add", "origin", str(origin))
    git(root, "push", "-q", "-u", "origin", "main")
    log = git(root, "log", "--format=%H %s", "main").splitlines()
    guilty = next((line.split(" ", 1)[0] for line in log if line.endswith(f" Step {culprit}")), "")
    return Library(root, origin, guilty, git(root, "rev-parse", "main"))


def _commit(number: int, *, broken: bool, crowd: int, config: str) -> bytes:
    files = {
        "shop/__init__.py": "",
        "shop/prices.py": _PRICES.format(
            total="sum(prices)",
            net=f"gross * 100 // (100 + rate) + 1{f'  # {crowd}' if crowd > 0 else ''}"
            if broken
            else "round(gross * 100 / (100 + rate))",
        ),
        f"shop/steps/step_{number}.py": f"STEP = {number}\n",
        "tests/test_prices.py": _TESTS,
        "goldenpath.toml": config,
        "README.md": f"A shop, step {number // 10}.\n",
    }
    message = f"Step {number}".encode()
    when = 1_750_000_000 + number * 3600
    parts = [
        b"commit refs/heads/main\n",
        f"committer Ada <ada@example.test> {when} +0000\n".encode(),
        b"data %d\n%s\n" % (len(message), message),
    ]
    for path, text in files.items():
        data = text.encode()
        parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    return b"".join(parts)
