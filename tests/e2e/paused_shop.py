"""Targets on which a pause meets everything at once: slow tests, one that hangs, a setup, and a moody model."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from tests.e2e.library import Library, git
from tests.model_server import Conversation, Fault, Reply
from tests.model_server.behaviours.competent import Competent

__all__ = ["GOODS", "Moody", "build_hanging", "build_team", "mended"]

_SETUP = "import pathlib, sys, time; time.sleep(0.3); pathlib.Path(sys.argv[1], 'built').write_text('yes')"
_KEY = "import time; time.sleep(0.1); print('key')"
_CONFIG = """[target]
name = "shop"
packages = ["shop"]

[suites.unit]
path = "tests"
priority = 1
value_at_risk_usd = 9000
{suite}

[suites.unit.env]
# What the machine's own pytest is extended with takes longer to import than these tests take.
PYTEST_DISABLE_PLUGIN_AUTOLOAD = "1"

[focuses.goldenpath]
suites = ["unit"]

[limits]
cycles = 4
duration_s = 100000
cost_usd = 100000
tokens = 1000000000
"""
_MODEL = """
[model]
name = "scripted"
base_url = "{url}"
api_key_command = {key}
concurrency = 2
prompt_usd = 1.0
answer_usd = 4.0
timeout_s = 60.0
"""
_MODULE = '''"""The {name}."""


def {name}(value: int) -> int:
    """What is to be paid."""
    {body}
'''
_TEST = """import time

from shop.{name} import {name}


def test_{name}():
    time.sleep(0.2)
    assert {name}(10) == {good}, "{name} is wrong"
"""
_WAITING = '''"""Waits."""

import time


def wait(steps: int) -> int:
    """Steps made."""
    {body}
'''

GOODS = {
    "fare": ("if value < 10:\n        return 2\n    return 3", "<", "<=", 3),
    "toll": ("if value >= 10:\n        return 6\n    return 4", ">=", ">", 6),
    "duty": ("if value != 10:\n        return 0\n    return 5", "!=", "==", 5),
}
"""What each thing is computed by, the operator that was wrong from the first day, and what ten give."""


def _module(name: str, *, broken: bool) -> str:
    body, good, bad, _ = GOODS[name]
    return _MODULE.format(name=name, body=body.replace(good, bad, 1) if broken else body)


def mended(library: Library, branches: list[str]) -> list[str]:
    """Which goods the branches repair, once for each branch that does."""
    return sorted(
        name
        for branch in branches
        for name in GOODS
        if git(library.origin, "ls-tree", branch, f"shop/{name}.py")
        and git(library.origin, "show", f"{branch}:shop/{name}.py") == _module(name, broken=False).strip()
    )


def build_team(folder: Path, url: str, *, goods: tuple[str, ...] = tuple(GOODS)) -> Library:
    """Things that were never right, each found and mended by agents; suites need a setup first."""
    # A list of strings in JSON is one in TOML.
    setup = json.dumps([sys.executable, "-c", _SETUP, "{environment}"])
    config = _CONFIG.format(suite=f'setup = {setup}\nsetup_files = ["setup.lock"]')
    config += _MODEL.format(url=url, key=json.dumps([sys.executable, "-c", _KEY]))
    files = {
        "goldenpath.toml": config,
        "setup.lock": "1\n",
        "shop/__init__.py": "",
        "README.md": "A shop.\n",
    }
    for name in goods:
        files[f"shop/{name}.py"] = _module(name, broken=True)
        files[f"tests/test_{name}.py"] = _TEST.format(name=name, good=GOODS[name][3])
    return _committed(folder, [files, {"README.md": "A shop, as it was.\n"}])


def build_hanging(folder: Path) -> Library:
    """A commit in the middle makes a test hang for minutes; its suite is given up after a short silence."""
    first = {
        "goldenpath.toml": _CONFIG.format(suite="idle_timeout_s = 3.0"),
        "shop/__init__.py": "",
        "shop/waiting.py": _WAITING.format(body="return steps"),
        "tests/test_waiting.py": "from shop.waiting import wait\n\n\ndef test_wait():\n    assert wait(2) == 2\n",
    }
    hang = {"shop/waiting.py": _WAITING.format(body="time.sleep(300)\n    return steps")}
    return _committed(folder, [first, {"README.md": "1\n"}, hang, {"README.md": "2\n"}, {"README.md": "3\n"}])


def _committed(folder: Path, steps: list[dict[str, str]]) -> Library:
    root, origin = folder / "shop", folder / "origin.git"
    root.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", "-b", "main", str(origin))
    git(root, "init", "-q", "-b", "main")
    for number, files in enumerate(steps):
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        git(root, "add", "--all")
        git(root, "commit", "-qm", f"Step {number}")
    git(root, "remote", "add", "origin", str(origin))
    git(root, "push", "-q", "-u", "origin", "main")
    return Library(root, origin, "", git(root, "rev-parse", "main"))


class Moody:
    """Says the right thing in the end: now at once, now slowly, now only when it is asked again.

    Args:
        seed: Of its moods.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._competent = Competent(tries_per_turn=4)
        self._refused: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reply(self, conversation: Conversation) -> Reply:
        """A fault that passes, or the answer after a while."""
        with self._lock:
            mood, wait_s = self._random.random(), self._random.uniform(0.0, 0.4)
            turn = f"{conversation.turn} {conversation.brief}"
            # Never twice in a row: what is tried again is served.
            self._refused[turn] += 1
            is_first = self._refused[turn] % 2 == 1
        if is_first and mood < 0.15:
            return Fault("status", status=429, headers={"Retry-After-Ms": "400"})
        if is_first and mood < 0.3:
            return Fault("status", status=500)
        if is_first and mood < 0.4:
            return Fault("drop_midway", content="x" * 90)
        time.sleep(wait_s)
        return self._competent.reply(conversation)
