"""Runs `loop culprit --hunks` over real regressions of public projects, beside what is known of them.

    python tests/benchmarks/real_regressions.py cases.json --clones FOLDER [--only ID ...] [--jobs 2]

`cases.json` is a list of cases under `cases`: `id`, `repo` (owner/name), `good`, `bad`, `test_file` (text of a test
that fails on bad and passes on good), `pip_requirements`, and `answer.culprit` to check against. `FOLDER` holds a git
directory for each repository, called `owner+name/repo`. Environments and checkouts are made in a folder that is
removed; nothing of those projects is kept. Every row is beside `git bisect run` with the same command on the same
range.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> int:
    arguments = _arguments()
    cases = json.loads(arguments.cases.read_text())["cases"]
    chosen = [case for case in cases if not arguments.only or case["id"] in arguments.only]
    print(
        f"{'case':<18}{'commits':>8}  {'answer':<12}{'right':<7}{'runs':>5}{'bisect':>8}{'seconds':>9}"
        f"{'bisect s':>9}  hunks",
        flush=True,
    )
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in chosen:
            wrong += not _row(case, arguments, Path(folder))
    print(f"{len(chosen) - wrong} of {len(chosen)} right")
    return 1 if wrong else 0


def _row(case: dict[str, Any], arguments: argparse.Namespace, folder: Path) -> bool:
    python = _environment(tuple(case.get("pip_requirements", ())), folder)
    checkout = folder / case["id"]
    source = arguments.clones / case["repo"].replace("/", "+") / "repo"
    subprocess.run(["git", "clone", "-q", "--shared", "-n", str(source), str(checkout)], check=True)
    subprocess.run(["git", "checkout", "-q", "--detach", case["bad"]], cwd=checkout, check=True)
    tests = folder / f"{case['id']}-test"
    tests.mkdir()
    test = tests / case.get("test_name", "test_case.py")
    test.write_text(case["test_file"])
    (tests / "pytest.ini").write_text("[pytest]\n")
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    flaky = ["--flaky"] if "flaky" in case["id"] else []
    began = time.monotonic()
    options = ["--hunks", "--jobs", str(arguments.jobs), "--runs", str(folder / f"{case['id']}-runs")]
    if "guard" in case:
        report = f"guard-{case['id']}.xml"
        words = case["guard"].replace("{python}", str(python))
        options += ["--guard", f"{words} --junitxml={report}", "--guard-report", report]
    # Not `python -m`: that would import the checkout's own packages, httpx for one.
    loop = [str(Path(sys.executable).with_name("loop")), "culprit", "--json"]
    done = subprocess.run(
        [
            *loop,
            "--good",
            case["good"],
            "--bad",
            case["bad"],
            *options,
            *flaky,
            *arguments.extra,
            "--",
            *command,
        ],
        cwd=checkout,
        env=_surroundings(),
        capture_output=True,
        text=True,
    )
    took = time.monotonic() - began
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        print(f"{case['id']:<18} ended with {done.returncode}: {done.stderr[-300:]}", flush=True)
        return False
    expected = case.get("answer", {}).get("culprit", "")
    is_right = bool(answer.get("answer") == "confirmed" and answer.get("culprit") == expected)
    hunks = answer.get("hunks", {}).get("statement", "")
    bisect_runs, bisect_s = _bisect(checkout, case, command) if not flaky else (0, 0.0)
    print(
        f"{case['id']:<18}{answer.get('commits_in_range', 0):>8}  {answer.get('answer')!s:<12}{is_right!s:<7}"
        f"{answer.get('runs', 0):>5}{bisect_runs:>8}{took:>9.1f}{bisect_s:>9.1f}  {hunks}",
        flush=True,
    )
    if not is_right:
        print(f"    {answer.get('reason', '')}", flush=True)
    return is_right


def _bisect(checkout: Path, case: dict[str, Any], command: list[str]) -> tuple[int, float]:
    """How many commits plain bisection runs, and for how long."""
    script = checkout.parent / f"{case['id']}-bisect.sh"
    log = checkout.parent / f"{case['id']}-bisect.log"
    quoted = " ".join(f"'{part}'" for part in command)
    script.write_text(f'#!/bin/sh\necho run >> "{log}"\nPYTHONPATH="$PWD:$PWD/src" exec {quoted}\n')
    script.chmod(0o755)
    began = time.monotonic()
    for words in (["start", "--first-parent", case["bad"], case["good"]], ["run", str(script)], ["reset"]):
        subprocess.run(
            ["git", "bisect", *words], cwd=checkout, env=_surroundings(), capture_output=True, check=False
        )
    return len(log.read_text().splitlines()) if log.exists() else 0, time.monotonic() - began


def _environment(requirements: tuple[str, ...], folder: Path) -> Path:
    """An interpreter with `requirements`, one a set of them."""
    name = hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()[:10]
    python = folder / "environments" / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", *requirements], check=True, stderr=subprocess.DEVNULL
        )
    return python


def _surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--clones", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--extra", nargs="*", default=[], help="More options for `loop culprit`.")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
