"""Suites that are commands: judged by their report, or by their exit code alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.suites.run import collect_suite, run_suite

from .conftest import MakeRequest, RecordingWitness

pytestmark = pytest.mark.anyio

GREEN = '<testsuite><testcase classname="c" name="a" time="0.5"/></testsuite>'
MIXED = (
    '<testsuite><testcase classname="c" name="a"/><testcase classname="c" name="b">'
    '<failure message="b is broken">trace</failure></testcase></testsuite>'
)
WRITE = """
import pathlib, sys
pathlib.Path("report.xml").write_text(sys.argv[1])
print("done")
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def outcomes(run: SuiteRun) -> dict[str, str]:
    return {result.id: result.outcome for result in run.results}


async def test_a_report_gives_the_results(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    command = ("{python}", "-c", WRITE, MIXED, "1")
    run = await run_suite(request_for(tree, command=command, junit="report.xml"), witness)
    assert (run.ended, run.exit_code, run.problem) == ("completed", 1, "")
    assert outcomes(run) == {"c::a": "green", "c::b": "red"}
    assert run.collected == ("c::a", "c::b")
    red = run.results[1]
    assert red.failure is not None
    assert red.evidence is not None
    assert red.failure.message in witness.evidence[red.evidence].text
    assert run.console is not None
    assert witness.evidence[run.console].text == "done\n"
    assert witness.evidence[run.console].obtained.how.startswith(sys.executable)
    assert witness.said == ["green c::a 0.00 s", "red c::b 0.00 s"]


async def test_a_python_command_finds_the_trees_own_code_first(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    (tree / "src" / "shop").mkdir(parents=True)
    (tree / "src" / "shop" / "__init__.py").write_text("WHERE = 'tree'\n")
    installed = tree.parent / "installed" / "shop"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("WHERE = 'installed'\n")
    command = ("{python}", "-c", "import shop; assert shop.WHERE == 'tree'")
    run = await run_suite(
        request_for(tree, command=command, env={"PYTHONPATH": str(installed.parent)}), witness
    )
    assert outcomes(run) == {"suite": "green"}


async def test_planned_tests_that_the_report_does_not_name_are_missing(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    command = ("{python}", "-c", WRITE, GREEN, "0")
    request = request_for(tree, command=command, junit="report.xml", tests=("c::a", "c::z"))
    run = await run_suite(request, witness)
    assert {result.id: (result.outcome, result.not_run) for result in run.results} == {
        "c::a": ("green", ""),
        "c::z": ("unresolved", "missing"),
    }


async def test_a_report_of_an_earlier_run_counts_for_nothing(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    (tree / "report.xml").write_text(GREEN)
    command = ("{python}", "-c", "print('cannot find the tests'); raise SystemExit(1)")
    request = request_for(tree, command=command, junit="report.xml", tests=("c::a",))
    run = await run_suite(request, witness)
    assert run.ended == "not_started"
    assert run.problem == "report.xml was not written by this run (exit code 1): cannot find the tests"
    assert [(result.outcome, result.not_run) for result in run.results] == [("unresolved", "never_started")]


@pytest.mark.parametrize(
    ("report", "exit_code", "ended", "problem"),
    [
        ("<testsuite/>", 0, "nothing_collected", "the report names no test (exit code 0)"),
        ("<testsuite>", 1, "not_started", "the report is not XML"),
        ("<testsuite>", 0, "crashed", "the report is not XML"),
        ("<testsuite>", 139, "crashed", "the report is not XML"),
        (GREEN, 1, "completed", "the command ended with exit code 1 although its report names no failure"),
        (MIXED, 200, "completed", ""),
    ],
)
async def test_report_and_exit_code_are_weighed(
    tree: Path,
    request_for: MakeRequest,
    witness: RecordingWitness,
    report: str,
    exit_code: int,
    ended: str,
    problem: str,
) -> None:
    command = ("{python}", "-c", WRITE, report, str(exit_code))
    run = await run_suite(request_for(tree, command=command, junit="report.xml"), witness)
    assert run.ended == ended
    assert run.problem.startswith(problem)
    assert bool(run.problem) == bool(problem)


@pytest.mark.parametrize(
    ("code", "outcome", "ended"),
    [
        ("print('all good')", "green", "completed"),
        ("print('two of three\\nfailed here'); raise SystemExit(2)", "red", "completed"),
        ("raise SystemExit(125)", "unresolved", "completed"),
        ("import os; os.kill(os.getpid(), 9)", "unresolved", "crashed"),
        ("raise SystemExit(137)", "unresolved", "crashed"),
    ],
)
async def test_without_a_report_the_exit_code_decides(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness, code: str, outcome: str, ended: str
) -> None:
    run = await run_suite(request_for(tree, command=("{python}", "-c", code)), witness)
    (result,) = run.results
    assert (result.id, result.outcome, run.ended) == ("suite", outcome, ended)
    assert result.evidence is not None
    if outcome == "red":
        assert result.failure is not None
        assert (result.failure.exception, result.failure.message) == (
            "ExitCode2",
            "two of three\nfailed here",
        )
        assert result.failure.message in witness.evidence[result.evidence].text
    if outcome == "unresolved":
        assert result.failure or result.not_run


@pytest.mark.parametrize("junit", ["", "report.xml"])
@pytest.mark.parametrize(
    ("limit", "ended"), [({"idle_timeout_s": 0.5}, "hung"), ({"timeout_s": 0.5}, "timed_out")]
)
async def test_a_command_that_does_not_end_is_ended(
    tree: Path,
    request_for: MakeRequest,
    witness: RecordingWitness,
    limit: dict[str, float],
    ended: str,
    junit: str,
) -> None:
    command = ("{python}", "-c", "import threading; threading.Event().wait()")
    run = await run_suite(request_for(tree, command=command, junit=junit, **limit), witness)
    assert run.ended == ended
    assert run.problem
    assert outcomes(run) == ({} if junit else {"suite": "timeout"})


async def test_a_command_that_is_not_there_is_a_run_that_does_not_start(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for(tree, command=("no-such-runner", "test")), witness)
    assert (run.ended, run.results) == ("not_started", ())
    assert "no-such-runner" in run.problem


async def test_a_command_gets_the_environment_and_the_tree(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    code = "import os; print(os.environ['BASE_URL'], os.getcwd())"
    run = await run_suite(
        request_for(tree, command=("{python}", "-c", code), env={"BASE_URL": "http://127.0.0.1:1"}), witness
    )
    assert run.console is not None
    assert witness.evidence[run.console].text == f"http://127.0.0.1:1 {tree}\n"


async def test_a_command_is_not_run_to_learn_its_tests(
    tree: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    command = ("{python}", "-c", WRITE, GREEN, "0")
    by_report = await collect_suite(request_for(tree, command=command, junit="report.xml"), witness)
    by_exit = await collect_suite(request_for(tree, command=command), witness)
    assert (by_report.ended, by_report.collected) == ("completed", ())
    assert (by_exit.ended, by_exit.collected) == ("completed", ("suite",))
    assert not (tree / "report.xml").exists()
    assert witness.evidence == {}
