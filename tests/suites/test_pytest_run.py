"""Real pytest runs: every way a test or a run can end is told as what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import anyio
import pytest

from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.suites.run import collect_suite, run_suite
from goldenpath_loop.system.environment import own_environment

from .conftest import MakeRequest, RecordingWitness

pytestmark = pytest.mark.anyio

FILE = "tests/test_outcomes.py"


def by_name(run: SuiteRun) -> dict[str, TestResult]:
    return {result.id.split("::", 1)[-1]: result for result in run.results}


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


async def test_every_outcome_is_told_as_what_it_is(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for("outcomes", path="tests"), witness)
    seen = by_name(run)
    assert (run.ended, run.exit_code, run.problem) == ("completed", 1, "")
    assert set(run.collected) == {f"{FILE}::{name}" for name in seen}
    assert {name for name, result in seen.items() if result.outcome == "green"} == {
        "test_passes",
        "TestGroup::test_in_a_class",
        *(name for name in seen if name.startswith("test_odd_names[") and name != "test_odd_names[a b]"),
    }
    assert {name: result.stage for name, result in seen.items() if result.outcome == "red"} == {
        "test_fails_by_assertion": "call",
        "test_fails_below": "call",
        "test_fails_in_words": "call",
        "test_fails_before": "setup",
        "test_fails_after": "teardown",
        "test_fails_twice": "call",
        "test_wants_an_unknown_fixture": "setup",
        "test_passes_against_a_strict_mark": "call",
        "test_odd_names[a b]": "call",
    }
    assert {
        name: (result.not_run, result.reason)
        for name, result in seen.items()
        if result.outcome == "unresolved"
    } == {
        "test_skips_itself": ("skipped", "no coffee in stock"),
        "test_is_skipped": ("skipped", "closed for repairs"),
        "test_is_expected_to_fail": ("xfailed", "known: no discount yet"),
        "test_passes_unexpectedly": (
            "xfailed",
            "passed although it is marked to fail: known: no discount yet",
        ),
    }


async def test_a_failure_speaks_in_the_tests_own_words(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for("outcomes", path=FILE), witness)
    told = {
        name: (failure.exception, failure.message, f"{failure.path}:{failure.function}")
        for name, result in by_name(run).items()
        if (failure := result.failure)
    }
    assert told == {
        "test_fails_by_assertion": (
            "AssertionError",
            "tea became cheaper: 3 instead of 4\nassert 3 == 4\n +  where 3 = price('tea')",
            f"{FILE}:test_fails_by_assertion",
        ),
        "test_fails_below": ("KeyError", "'coffee'", "shop/__init__.py:price"),
        "test_fails_in_words": (
            "Failed",
            "the shop is closed\non sundays",
            f"{FILE}:test_fails_in_words",
        ),
        "test_fails_before": ("RuntimeError", "no database today", f"{FILE}:broken_before"),
        "test_fails_after": ("OSError", "could not close the cash desk", f"{FILE}:broken_after"),
        "test_fails_twice": ("AssertionError", "first in the test", f"{FILE}:test_fails_twice"),
        "test_wants_an_unknown_fixture": (
            "FixtureLookupError",
            "fixture 'no_such_fixture' not found",
            f"{FILE}:test_wants_an_unknown_fixture",
        ),
        "test_passes_against_a_strict_mark": (
            "UnexpectedPass",
            "[XPASS(strict)] known: no discount yet",
            f"{FILE}:test_passes_against_a_strict_mark",
        ),
        "test_odd_names[a b]": (
            "AssertionError",
            "'a b' is refused\nassert 'a b' != 'a b'",
            f"{FILE}:test_odd_names",
        ),
    }
    below = by_name(run)["test_fails_below"]
    assert below.failure is not None
    assert [frame.rsplit(":", 2)[0] for frame in below.failure.frames] == [FILE, "shop/__init__.py"]
    assert below.signature is not None
    assert below.signature.key == "KeyError @ shop/__init__.py::price"
    assert all(result.failure.line > 0 for result in run.results if result.failure)


async def test_evidence_of_each_test_holds_its_message_word_for_word(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for("outcomes", path="tests"), witness)
    for result in run.results:
        assert result.evidence is not None
        captured = witness.evidence[result.evidence]
        assert (captured.kind, captured.subject) == ("test_result", result.id)
        assert captured.text.startswith(f"test: {result.id}\noutcome: {result.outcome}\n")
        assert "-m pytest" in captured.obtained.how
        if result.failure:
            assert result.failure.message in captured.text
    failing = by_name(run)["test_fails_by_assertion"].evidence
    assert failing is not None
    text = witness.evidence[failing].text
    assert "--- captured stdout ---\nbefore the failure\n" in text
    assert "--- captured stderr ---\nand on the other stream\n" in text
    assert "a log line" in text
    assert run.console is not None
    assert "short test summary info" in witness.evidence[run.console].text
    assert len(witness.said) == len(run.results)


async def test_the_results_agree_with_pytests_own_report(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    request = request_for("outcomes", path="tests")
    run = await run_suite(request, witness)
    report = request.scratch / "own.xml"
    argv = [sys.executable, "-m", "pytest", "--maxfail=0", f"--junitxml={report}", "-p", "no:cacheprovider"]
    await anyio.run_process(argv, cwd=request.tree, env=own_environment(), check=False)
    own: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        group = case.get("classname", "").removeprefix("tests.test_outcomes").strip(".")
        name = "::".join(part for part in (group, case.get("name", "")) if part)
        kinds = {child.tag for child in case}
        outcome = "red" if kinds & {"failure", "error"} else "unresolved" if "skipped" in kinds else "green"
        own[name] = "red" if own.get(name) == "red" else outcome
    ours = {name: result.outcome for name, result in by_name(run).items()}
    # Its report calls a test that passes against its mark a pass; here it is no verdict.
    assert own.pop("test_passes_unexpectedly") == "green"
    assert ours.pop("test_passes_unexpectedly") == "unresolved"
    assert {name.encode("unicode_escape").decode() for name in own} == {
        name.encode("unicode_escape").decode() for name in ours
    }
    assert ours == own


async def test_a_run_leaves_nothing_in_the_tree(request_for: MakeRequest, witness: RecordingWitness) -> None:
    request = request_for("outcomes", path="tests")
    before = files_below(request.tree)
    await run_suite(request, witness)
    assert files_below(request.tree) == before


async def test_a_test_is_known_while_the_next_one_runs(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_suite, request_for("hanging"), witness)
        await witness.heard.wait()
        assert witness.said[0].startswith("green test_hanging.py::test_before ")
        assert [captured.subject for captured in witness.evidence.values()] == [
            "test_hanging.py::test_before"
        ]
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("limit", "ended", "words"),
    [
        ({"idle_timeout_s": 1.5}, "hung", "no test started or ended for 1.5 s"),
        ({"timeout_s": 2.5}, "timed_out", "the suite's 2.5 s were over"),
    ],
)
async def test_a_hanging_test_is_named_and_earlier_results_are_kept(
    request_for: MakeRequest, witness: RecordingWitness, limit: dict[str, float], ended: str, words: str
) -> None:
    run = await run_suite(request_for("hanging", path="test_hanging.py", **limit), witness)
    seen = by_name(run)
    assert run.ended == ended
    assert run.hanging_test == "test_hanging.py::test_hangs"
    assert run.problem == f"{words}, while test_hanging.py::test_hangs ran"
    assert {name: result.outcome for name, result in seen.items()} == {
        "test_before": "green",
        "test_hangs": "timeout",
        "test_after": "unresolved",
    }
    assert seen["test_after"].not_run == "never_started"
    hanging = seen["test_hangs"]
    assert hanging.stage == "call"
    assert hanging.duration_s > 1
    assert hanging.failure is not None
    assert (hanging.failure.exception, hanging.failure.message) == ("Timeout", words)
    assert (hanging.failure.path, hanging.failure.function) == ("test_hanging.py", "wait_for_the_reply")
    assert hanging.evidence is not None
    text = witness.evidence[hanging.evidence].text
    assert words in text
    assert "in wait_for_the_reply" in text


@pytest.mark.parametrize(
    ("way", "exit_code", "words"),
    [
        ("0", 0, "the test process died: exit code 0"),
        ("3", 3, "the test process died: exit code 3"),
        ("segfault", -11, "the test process died: killed by SIGSEGV"),
    ],
)
async def test_a_crash_names_its_test_whatever_the_exit_code_says(
    request_for: MakeRequest, witness: RecordingWitness, way: str, exit_code: int, words: str
) -> None:
    run = await run_suite(request_for("crashing", path="test_crashing.py", env={"WAY": way}), witness)
    seen = by_name(run)
    assert (run.ended, run.exit_code) == ("crashed", exit_code)
    assert {name: result.outcome for name, result in seen.items()} == {
        "test_before": "green",
        "test_crashes": "red",
        "test_after": "unresolved",
    }
    crash = seen["test_crashes"].failure
    assert crash is not None
    assert (crash.exception, crash.message) == ("ProcessCrash", words)
    assert (crash.path, crash.function) == ("test_crashing.py", "test_crashes")
    assert run.problem == f"{words}, while test_crashing.py::test_crashes ran"
    assert run.hanging_test is None


async def test_a_file_that_cannot_be_imported_is_red_and_its_neighbours_run(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    planned = ("test_cannot_be_imported.py::test_never_collected", "test_can_be_imported.py::test_runs")
    run = await run_suite(request_for("import_error", tests=planned), witness)
    seen = {result.id: result for result in run.results}
    assert run.ended == "completed"
    broken = seen["test_cannot_be_imported.py"]
    assert (broken.outcome, broken.stage) == ("red", "collect")
    assert broken.failure is not None
    assert broken.failure.exception == "ModuleNotFoundError"
    assert broken.failure.message == "No module named 'shop_that_moved_away'"
    assert (broken.failure.path, broken.failure.line) == ("test_cannot_be_imported.py", 3)
    assert seen[planned[0]].not_run == "not_collected"
    assert seen[planned[1]].outcome == "green"


async def test_a_file_with_a_syntax_error_is_red_at_its_line(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "test_syntax.py").write_text("def test_one():\n    pass\n\ndef broken(:\n")
    run = await run_suite(request_for(tmp_path / "tree"), witness)
    (result,) = run.results
    assert result.failure is not None
    assert (result.outcome, result.failure.exception) == ("red", "SyntaxError")
    assert (result.failure.path, result.failure.line) == ("test_syntax.py", 4)


async def test_no_test_is_no_pass(request_for: MakeRequest, witness: RecordingWitness) -> None:
    run = await run_suite(request_for("empty", path="."), witness)
    assert (run.ended, run.exit_code, run.results) == ("nothing_collected", 5, ())
    assert run.problem == "pytest collected no test"


async def test_only_the_planned_tests_run(request_for: MakeRequest, witness: RecordingWitness) -> None:
    run = await run_suite(request_for("chosen", tests=("test_chosen.py::test_other",)), witness)
    assert {result.id: result.outcome for result in run.results} == {"test_chosen.py::test_other": "green"}
    assert run.collected == ("test_chosen.py::test_other",)


async def test_odd_ids_can_be_run_by_name(request_for: MakeRequest, witness: RecordingWitness) -> None:
    collected = (await collect_suite(request_for("outcomes", path="tests"), witness)).collected
    odd = tuple(name for name in collected if "test_odd_names" in name)
    assert len(odd) == 8
    for tests in (odd[2:3], odd[:2] + odd[3:]):
        run = await run_suite(request_for("outcomes", tests=tests), witness)
        assert tuple(result.id for result in run.results) == tests


async def test_a_planned_test_that_is_gone_is_missing_and_the_others_run(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    planned = ("test_chosen.py::test_quick", "test_chosen.py::test_gone", "test_gone.py::test_gone_too")
    run = await run_suite(request_for("chosen", tests=planned), witness)
    assert {result.id: (result.outcome, result.not_run) for result in run.results} == {
        "test_chosen.py::test_quick": ("green", ""),
        "test_chosen.py::test_gone": ("unresolved", "missing"),
        "test_gone.py::test_gone_too": ("unresolved", "missing"),
    }
    assert run.ended == "completed"


async def test_a_planned_test_that_the_markers_leave_out_is_deselected(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    planned = ("test_chosen.py::test_quick", "test_chosen.py::test_slow")
    run = await run_suite(request_for("chosen", tests=planned, markers="not slow"), witness)
    assert {result.id: (result.outcome, result.not_run) for result in run.results} == {
        "test_chosen.py::test_quick": ("green", ""),
        "test_chosen.py::test_slow": ("unresolved", "deselected"),
    }


async def test_when_everything_is_deselected_nothing_was_collected(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for("chosen", path=".", markers="slow and not slow"), witness)
    assert (run.ended, run.exit_code) == ("nothing_collected", 5)
    assert run.problem == "pytest collected no test, 3 were deselected"


async def test_collecting_runs_nothing(request_for: MakeRequest, witness: RecordingWitness) -> None:
    run = await collect_suite(request_for("chosen", path="test_chosen.py", markers="not slow"), witness)
    assert (run.ended, run.results, run.problem) == ("completed", (), "")
    assert run.collected == ("test_chosen.py::test_quick", "test_chosen.py::test_other")


async def test_collecting_names_what_cannot_be_collected(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await collect_suite(request_for("import_error", path="."), witness)
    assert run.collected == ("test_can_be_imported.py::test_runs",)
    assert [(result.id, result.outcome) for result in run.results] == [("test_cannot_be_imported.py", "red")]
    assert run.problem == "could not be collected: test_cannot_be_imported.py"


async def test_code_from_another_checkout_ends_the_run_before_any_test(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    request = request_for("foreign")
    checkout, tree = request.tree / "checkout", request.tree / "tree"
    env = {"PYTHONPATH": str(checkout)}
    request = request_for(tree, path="test_shop.py", env=env, foreign_root=checkout)
    run = await run_suite(request, witness)
    assert run.ended == "not_started"
    assert run.foreign_modules == (f"shop -> {checkout / 'shop' / '__init__.py'}",)
    assert [(result.outcome, result.not_run) for result in run.results] == [("unresolved", "never_started")]
    assert run.problem.startswith("shop was imported from ")


async def test_code_from_another_checkout_that_comes_late_is_named(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    request = request_for("foreign")
    checkout, tree = request.tree / "checkout", request.tree / "tree"
    env = {"PYTHONPATH": str(checkout)}
    request = request_for(tree, path="test_late.py", env=env, foreign_root=checkout)
    run = await run_suite(request, witness)
    assert run.ended == "completed"
    assert run.foreign_modules == (f"late -> {checkout / 'late.py'}",)
    assert run.problem.startswith("late was imported from ")


@pytest.mark.parametrize("named", [(), ("shop",)])
async def test_an_installed_copy_of_the_code_is_not_the_code(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness, named: tuple[str, ...]
) -> None:
    """Every commit would look alike: what is installed does not change with the tree."""
    installed = tmp_path / "lib" / "site-packages" / "shop"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("OPEN = True\n")
    tree = tmp_path / "tree"
    (tree / "shop").mkdir(parents=True)
    (tree / "shop" / "__init__.py").write_text("OPEN = False\n")
    (tree / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(installed.parent)!r})\nimport shop\n"
    )
    (tree / "test_shop.py").write_text("import shop\n\ndef test_open():\n    assert shop.OPEN\n")
    request = replace(request_for(tree), packages=named)
    run = await run_suite(request, witness)
    assert run.foreign_modules == (f"shop -> {installed / '__init__.py'}",)
    assert not any(result.outcome == "green" for result in run.results)


async def test_the_trees_own_code_wins_over_the_checkouts(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    request = request_for("foreign")
    checkout, tree = request.tree / "checkout", request.tree / "tree"
    (tree / "src" / "shop").mkdir(parents=True)
    (tree / "src" / "shop" / "__init__.py").write_text("OPEN = True\n")
    env = {"PYTHONPATH": str(checkout)}
    request = request_for(tree, path="test_shop.py", env=env, foreign_root=checkout)
    run = await run_suite(request, witness)
    assert [result.outcome for result in run.results] == ["green"]
    assert run.foreign_modules == ()


async def test_an_environment_inside_the_checkout_is_not_foreign(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    checkout = tmp_path / "checkout"
    venv.create(checkout / ".venv", symlinks=True)
    (site,) = (checkout / ".venv" / "lib").glob("python*/site-packages")
    (site / "library.py").write_text("ANSWER = 42\n")
    # The interpreter of the new environment also sees what this one has installed: pytest.
    (site / "more.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_library.py").write_text("import library\n\ndef test_answer():\n    assert library.ANSWER\n")
    python = str(checkout / ".venv" / "bin" / "python")
    run = await run_suite(request_for(tree, python=python, foreign_root=checkout), witness)
    assert [result.outcome for result in run.results] == ["green"]
    assert run.foreign_modules == ()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"pytest.ini": "[pytest]\naddopts = --no-such-option\n"},
            "unrecognized arguments: --no-such-option",
        ),
        ({"pytest.ini": "[pytest\n"}, "pytest.ini:1: unexpected value continuation"),
        ({"conftest.py": "import not_there\n"}, "ModuleNotFoundError: No module named 'not_there'"),
        ({"conftest.py": "def pytest_sessionstart():\n    1 / 0\n"}, "ZeroDivisionError: division by zero"),
    ],
)
async def test_a_run_that_does_not_start_says_why(
    tmp_path: Path,
    request_for: MakeRequest,
    witness: RecordingWitness,
    files: dict[str, str],
    words: str,
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_one.py").write_text("def test_one():\n    pass\n")
    for name, text in files.items():
        (tree / name).write_text(text)
    run = await run_suite(request_for(tree, tests=("test_one.py::test_one",)), witness)
    assert run.ended == "not_started"
    assert words in run.problem
    assert [(result.outcome, result.not_run) for result in run.results] == [("unresolved", "never_started")]


async def test_a_path_that_is_gone_is_a_run_that_does_not_start(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for("chosen", path="test_gone.py"), witness)
    assert run.ended == "not_started"
    assert "file or directory not found: test_gone.py" in run.problem


async def test_a_python_without_pytest_is_named_with_advice(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    run = await run_suite(request_for("chosen", path=".", python=python), witness)
    assert run.ended == "not_started"
    assert f"pytest is not installed for {python}: install it there" in run.problem


async def test_a_python_that_is_not_there_is_a_run_that_does_not_start(
    request_for: MakeRequest, witness: RecordingWitness
) -> None:
    run = await run_suite(request_for("chosen", path=".", python="/no/such/python"), witness)
    assert (run.ended, run.exit_code) == ("not_started", None)
    assert "/no/such/python" in run.problem


async def test_a_run_that_a_test_interrupts_is_told(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    code = "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('enough')\ndef test_c(): pass\n"
    (tree / "test_exit.py").write_text(code)
    run = await run_suite(request_for(tree), witness)
    assert "enough" in run.problem
    seen = {name: (result.outcome, result.not_run) for name, result in by_name(run).items()}
    assert seen["test_a"] == ("green", "")
    assert seen["test_c"] == ("unresolved", "never_started")
    assert seen["test_b"][0] == "unresolved"


async def test_a_failure_of_the_run_beside_its_tests_is_told(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_one.py").write_text("def test_one():\n    pass\n")
    (tree / "conftest.py").write_text("def pytest_sessionfinish(session):\n    session.exitstatus = 1\n")
    run = await run_suite(request_for(tree), witness)
    assert run.ended == "completed"
    assert run.problem == "pytest ended with exit code 1 although no test failed"


async def test_a_child_that_a_test_forks_does_not_speak_for_the_run(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_fork.py").write_text(
        "import os, sys\n"
        "def test_fork():\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        raise RuntimeError('only in the child')\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1\n"
    )
    run = await run_suite(request_for(tree), witness)
    assert [(result.id, result.outcome) for result in run.results] == [("test_fork.py::test_fork", "green")]


async def test_one_failure_inside_a_group_speaks_for_itself(
    tmp_path: Path, request_for: MakeRequest, witness: RecordingWitness
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_group.py").write_text(
        "def test_group():\n    raise ExceptionGroup('tasks', [ValueError('the real one')])\n"
    )
    run = await run_suite(request_for(tree), witness)
    (result,) = run.results
    assert result.failure is not None
    assert (result.failure.exception, result.failure.message) == ("ValueError", "the real one")


async def test_without_a_stream_the_plugin_does_nothing(request_for: MakeRequest) -> None:
    request = request_for("chosen")
    plugin = Path(__file__).parents[2] / "goldenpath_loop" / "suites" / "plugin"
    before = files_below(request.tree)
    done = await anyio.run_process(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "goldenpath_pytest", "-p", "no:cacheprovider"],
        cwd=request.tree,
        env=own_environment({"PYTHONPATH": str(plugin)}),
        stderr=subprocess.STDOUT,
    )
    assert b"3 passed" in done.stdout
    assert files_below(request.tree) == before


async def test_a_stream_that_cannot_be_written_does_not_change_the_tests(
    tmp_path: Path, request_for: MakeRequest
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_close.py").write_text(
        "import os\ndef test_close():\n    os.closerange(3, 64)\ndef test_after():\n    pass\n"
    )
    plugin = Path(__file__).parents[2] / "goldenpath_loop" / "suites" / "plugin"
    stream = tmp_path / "stream"
    env = own_environment({"PYTHONPATH": str(plugin), "GOLDENPATH_STREAM": str(stream)})
    argv = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "goldenpath_pytest", "-p", "no:cacheprovider"]
    done = await anyio.run_process(argv, cwd=tree, env=env, check=False, stderr=subprocess.STDOUT)
    assert b"2 passed" in done.stdout
    assert os.path.getsize(stream) > 0  # noqa: PTH202 -- the file's size is all that matters
