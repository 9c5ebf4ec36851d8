"""The search for guilty hunks on real faults: a fix of BugsInPy reversed inside a squash of later commits.

    python -m tests.benchmarks.hunks_real --bugsinpy FOLDER --clones FOLDER [--projects tqdm ...] [--least 40]

Of each bug the fix F is found, and the first later commit L that changes at least `--least` hunks of source since F.
The guilty commit is everything from F to L with the fix reversed, as one: its parent passes the fix's test, it does
not. `FOLDER` of `--clones` holds a git directory for each project, called `owner+name/repo`. Bugs whose fix conflicts
with later commits, and tests that do not tell the two apart with today's Python and pytest, are left out and counted.

Runs are counted for each way on one cache; the run that traces counts as one for the loop's own. `minimal`: no hunk of
the answer can be left away. `safe`: what the test file showed green on the guilty commit is green with the cure.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import ExecutedFile
from goldenpath_loop.repository.diff_text import parse_diff
from goldenpath_loop.science.hunks.compose import parts, taken_back, together
from goldenpath_loop.science.hunks.coupling import coupled, joined
from goldenpath_loop.science.hunks.order import in_order
from goldenpath_loop.science.hunks.search import Found, Outcome, next_candidates
from goldenpath_loop.suites.tracing import Tracing
from tests.benchmarks.hunks import ddmin, with_picire

_TEST = re.compile(r"(?:^|/)(?:tests?|examples?|docs?)/|(?:^|/)(?:test_|conftest|setup\.py)")
_OWNERS = {"tqdm": "tqdm", "cookiecutter": "cookiecutter", "thefuck": "nvbn", "PySnooper": "cool-RR"}


def git(folder: Path, *words: str, stdin: str | None = None) -> str:
    """What git prints; an error ends the instance."""
    names = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *words], cwd=folder, input=stdin, capture_output=True, text=True, env={**os.environ, **names}
    )
    if done.returncode:
        raise LookupError(done.stderr.strip()[-100:])
    return done.stdout


@dataclass
class Instance:
    """One guilty commit in a checkout that stands at it."""

    root: Path
    python: Path
    tests: tuple[str, ...]
    files: dict[str, str]
    """Text of every source file that the commit changed, as it left it."""
    hunks: tuple[Hunk, ...]
    test_folder: Path
    wholes: tuple[frozenset[int], ...]
    """The parts of each hunk that git shows."""
    words: str = ""
    cache: dict[frozenset[int], Outcome] = field(default_factory=dict)
    seen: set[frozenset[int]] = field(default_factory=set)
    broken: set[frozenset[int]] = field(default_factory=set)
    """Candidates that are no Python, which nobody has to run to know."""

    @property
    def runs(self) -> int:
        """Candidates that the present way had to run."""
        return len(self.seen)

    def show(self, tried: frozenset[int]) -> Outcome:
        """What the test says with `tried` taken back."""
        if tried not in self.cache:
            self.cache[tried] = self._run(tried)
        if tried not in self.broken:
            self.seen.add(tried)
        return self.cache[tried]

    def _run(self, tried: frozenset[int]) -> Outcome:
        if not self.write(tried):
            self.broken.add(tried)
            return "unresolved"
        code, _ = self.pytest(self.tests)
        return {0: "green", 1: "red"}.get(code, "unresolved")  # type: ignore[return-value]

    def write(self, tried: frozenset[int]) -> bool:
        """Put the tree into the state with `tried` taken back."""
        for path, text in self.files.items():
            chosen = [self.hunks[number] for number in tried if self.hunks[number].path == path]
            wanted = taken_back(text, chosen)
            if wanted is None or not _parses(wanted):
                return False
            (self.root / path).write_text(wanted)
        return True

    def pytest(
        self, tests: tuple[str, ...], *extra: str, env: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Exit code and output of one run."""
        done = subprocess.run(
            [
                str(self.python),
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-o",
                "addopts=",
                *extra,
                *tests,
            ],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def instances(arguments: argparse.Namespace, python: Path, folder: Path) -> list[tuple[str, Instance | str]]:
    """Every bug as an instance, or why it is none."""
    found: list[tuple[str, Instance | str]] = []
    listing = arguments.bugsinpy
    for project in arguments.projects:
        names = git(listing, "ls-tree", "--name-only", "HEAD", f"projects/{project}/bugs/").split()
        for bug in sorted(names, key=lambda name: int(name.rsplit("/", 1)[1])):
            name = f"{project} {bug.rsplit('/', 1)[1]}"
            try:
                found.append((name, _instance(listing, project, bug, arguments, python, folder)))
            except (LookupError, subprocess.TimeoutExpired) as problem:
                found.append((name, str(problem)))
    return found


def _instance(
    listing: Path, project: str, bug: str, arguments: argparse.Namespace, python: Path, folder: Path
) -> Instance:
    info = dict(re.findall(r'^(\w+)="([^"]*)"', git(listing, "show", f"HEAD:{bug}/bug.info"), re.MULTILINE))
    commands = git(listing, "show", f"HEAD:{bug}/run_test.sh")
    tests = tuple(dict.fromkeys(word for word in commands.split() if "::" in word))
    if not tests:
        tests = tuple(info["test_file"].split(";"))
    root = folder / f"{project}-{bug.rsplit('/', 1)[1]}"
    source = arguments.clones / f"{_OWNERS.get(project, project)}+{project}" / "repo"
    subprocess.run(["git", "clone", "-q", "--shared", "-n", str(source), str(root)], check=True)
    fix = git(root, "rev-parse", "--verify", info["fixed_commit_id"] + "^{commit}").strip()
    later = git(root, "rev-list", "--first-parent", "--reverse", f"{fix}..origin/HEAD").split()
    last = next((one for one in later if len(_sources(root, fix, one)) >= arguments.least), None)
    if last is None:
        raise LookupError("not enough later hunks")
    git(root, "checkout", "-q", "--detach", last)
    patch = git(root, "diff", "--no-renames", f"{fix}^", fix, "--", "*.py", ":!*test*", ":!setup.py")
    git(root, "apply", "-R", "--3way", "-", stdin=patch)
    git(root, "commit", "-qam", "Squash")
    files = [
        path
        for path in git(root, "diff", "--name-only", fix, "HEAD", "--", "*.py").split()
        if not _TEST.search(path)
    ]
    whole = _sources(root, fix, "HEAD")
    changed = {path: (root / path).read_text() for path in files if (root / path).exists()}
    whole = tuple(one for one in whole if one.path in changed)
    hunks = parts(whole)
    for test in dict.fromkeys(test.partition("::")[0] for test in tests):
        git(root, "checkout", "-q", fix, "--", test)
    found = Instance(root, python, tests, changed, hunks, root, together(whole))
    if found._run(frozenset(range(len(hunks)))) != "green":
        raise LookupError("its test does not pass with everything taken back")
    if found._run(frozenset()) != "red":
        raise LookupError("its test does not fail with the fix reversed")
    _, output = found.pytest(tests)
    found.words = "\n".join(line for line in output.splitlines() if line.startswith("E "))[:2000]
    return found


def _sources(root: Path, old: str, new: str) -> tuple[Hunk, ...]:
    text = git(root, "diff", "-U0", "--no-renames", "--no-prefix", old, new, "--", "*.py")
    return tuple(hunk for hunk in parse_diff(text) if not _TEST.search(hunk.path))


def traced(one: Instance, folder: Path) -> tuple[ExecutedFile, ...]:
    """Lines that the failing test runs on the guilty commit."""
    one.write(frozenset())
    folder.mkdir()
    tracing = Tracing(one.root, folder)
    extra = tracing.environment()
    one.pytest(one.tests, env={**extra, "PYTHONPATH": f"{one.root}{os.pathsep}{extra['PYTHONPATH']}"})
    return tracing.read(one.files, failing=["target"], passing=[])


def ours(one: Instance, executed: tuple[ExecutedFile, ...]) -> frozenset[int]:
    """The loop's own search."""
    ranked = in_order(one.hunks, range(len(one.hunks)), words=[one.words], executed=executed, failing=1)
    shown: dict[frozenset[int], Outcome] = {}
    groups = joined((*one.wholes, *coupled(one.hunks)))
    while not isinstance(step := next_candidates(ranked, shown, groups=groups), Found):
        for candidate in step.candidates:
            shown[candidate] = one.show(candidate)
    return step.hunks


def main() -> None:
    """Print a row for each instance and the figures of each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bugsinpy", type=Path, required=True)
    parser.add_argument("--clones", type=Path, required=True)
    parser.add_argument("--projects", nargs="*", default=["tqdm", "cookiecutter", "thefuck"])
    parser.add_argument("--least", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        needs = [
            "pytest<8",
            "numpy",
            "pandas",
            "mock",
            "nose",
            "pytest-mock",
            "psutil",
            "colorama",
            "six",
            "decorator",
        ]
        needs += [
            "pyte",
            "jinja2",
            "click",
            "requests",
            "binaryornot",
            "poyo",
            "jinja2-time",
            "python-slugify",
            "freezegun",
        ]
        needs += ["future", "whichcraft", "setuptools<80", "pytest-docker-pexpect"]
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", *needs], check=True, stderr=subprocess.DEVNULL
        )
        _compare(instances(arguments, python, folder), folder)


def _compare(found: list[tuple[str, Instance | str]], folder: Path) -> None:
    ways: dict[str, Callable[[Instance], frozenset[int]]] = {"ddmin": ddmin}
    if importlib.util.find_spec("picire") is not None:
        ways["picire"] = with_picire
    runs: dict[str, list[int]] = {"ours": [], **{name: [] for name in ways}}
    minimal: dict[str, int] = dict.fromkeys(runs, 0)
    safe: dict[str, int] = dict.fromkeys(runs, 0)
    for name, one in found:
        if isinstance(one, str):
            print(f"{name:<18} left out: {one}", flush=True)
            continue
        before = _green(one, frozenset())
        cells = []
        for way in runs:
            one.seen.clear()
            answer = ours(one, traced(one, folder / f"lines {name}")) if way == "ours" else ways[way](one)
            runs[way].append(one.runs + (way == "ours"))
            is_minimal = bool(answer) and all(one.show(answer - {hunk}) != "green" for hunk in answer)
            minimal[way] += is_minimal
            safe[way] += before <= _green(one, answer)
            cells.append(f"{way} {runs[way][-1]} ({len(answer)}{'' if is_minimal else ', not minimal'})")
        print(f"{name:<18}{len(one.hunks):>4} hunks: {'; '.join(cells)}", flush=True)
    for way, counts in runs.items():
        print(
            f"{way:<8} mean {statistics.mean(counts):.1f} median {statistics.median(counts):g} max {max(counts)} runs, "
            f"{minimal[way]} of {len(counts)} minimal, {safe[way]} safe"
        )


def _green(one: Instance, tried: frozenset[int]) -> set[str]:
    """Tests of the test's file that pass."""
    one.write(tried)
    files = tuple(dict.fromkeys(test.partition("::")[0] for test in one.tests))
    _, output = one.pytest(files, "-rp")
    return set(re.findall(r"^PASSED (\S+)", output, re.MULTILINE))


if __name__ == "__main__":
    main()
