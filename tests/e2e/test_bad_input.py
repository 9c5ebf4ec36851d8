"""Bad input: one clear message, a run that says what happened, and nothing lost."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.e2e.command import leftovers, only_run, state_of, typed
from tests.e2e.library import LIBRARY_CONFIG, build_library, git

_SERVICE = """[target]
name = "shop"

[deploy]
adapter = "process"
ready_timeout_s = 1.0

[services.shop]
start = {start}
port = {port}

[[services.shop.probes]]
name = "port"
kind = "tcp"

[suites.unit]
path = "tests"
needs = ["shop"]

[focuses.goldenpath]
suites = ["unit"]
"""


def test_without_a_configuration_nothing_is_started(tmp_path: Path) -> None:
    """In somebody's folder the command says what to do and writes nothing, least of all a demo."""
    done = typed("start", folder=tmp_path)
    assert done.exit_code == 3
    assert "loop init" in done.errors
    assert "--demo" in done.errors
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    """The loop works on committed revisions."""
    (tmp_path / "goldenpath.toml").write_text(LIBRARY_CONFIG)
    done = typed("start", "--json", folder=tmp_path)
    assert done.exit_code == 10
    assert "not a git repository" in done.record["reason"]
    assert only_run(tmp_path / "runs").worklog.exists()


def test_changes_that_are_not_committed_are_named(tmp_path: Path) -> None:
    """They would not be tested; a person decides."""
    library = build_library(tmp_path, commits=5, culprit=99)
    (library.root / "README.md").write_text("changed\n")
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 10
    assert "README.md" in done.record["reason"]
    assert "--allow-dirty" in done.record["reason"]
    anyway = typed("start", "--allow-dirty", "--json", folder=library.root, cache=tmp_path)
    assert anyway.exit_code == 0, anyway.errors
    assert (library.root / "README.md").read_text() == "changed\n"


def test_a_focus_without_tests_stops_the_run(tmp_path: Path) -> None:
    """Zero tests are never a pass."""
    config = LIBRARY_CONFIG.replace('path = "tests"', 'path = "tests"\nmarkers = "nothing_has_this"')
    library = build_library(tmp_path, commits=3, culprit=99, config=config)
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 10
    assert "no test of focus goldenpath" in done.record["reason"]


def test_an_unknown_focus_names_the_known_ones(tmp_path: Path) -> None:
    """A typing mistake is a usage error."""
    library = build_library(tmp_path, commits=2, culprit=99)
    done = typed("start", "--focus", "goldenpth", folder=library.root, cache=tmp_path)
    assert done.exit_code == 2
    assert "goldenpath" in done.errors
    state = state_of(only_run(library.root / "runs"))
    assert state.finished is not None
    assert "goldenpth" in state.finished.reason


def test_an_unknown_key_names_file_line_and_the_nearest_key(tmp_path: Path) -> None:
    """A broken configuration is told where it is broken, and leaves a run that says so."""
    library = build_library(tmp_path, commits=2, culprit=99)
    config = library.root / "goldenpath.toml"
    config.write_text(config.read_text().replace("priority = 1", "priorty = 1"))
    done = typed("start", folder=library.root, cache=tmp_path)
    assert done.exit_code == 3
    assert "goldenpath.toml:7" in done.errors
    assert "priorty" in done.errors
    assert "priority" in done.errors
    state = state_of(only_run(library.root / "runs"))
    assert state.finished is not None
    assert state.finished.exit_code == 3


def test_an_index_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """An index without a usable row is not an empty plan."""
    library = build_library(tmp_path, commits=2, culprit=99)
    (library.root / "INDEX.md").write_text("# Nothing\n\nno table here\n")
    config = library.root / "goldenpath.toml"
    config.write_text('[target]\nname = "shop"\nindex = "INDEX.md"\n\n[focuses.goldenpath]\n')
    done = typed("start", "--allow-dirty", folder=library.root, cache=tmp_path)
    assert done.exit_code == 3
    assert "INDEX.md" in done.errors


def test_a_service_that_never_becomes_ready_blocks(tmp_path: Path) -> None:
    """A critical service that does not answer stops the run, and its process is ended."""
    start = '["{python}", "-c", "import signal; signal.pause()"]'
    library = build_library(tmp_path, commits=2, culprit=99, config=_SERVICE.format(start=start, port=0))
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 10
    assert "shop" in done.record["reason"]
    assert leftovers(str(tmp_path)) == []


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Whoever holds the port is not disturbed."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        start = '["{python}", "-m", "http.server", "{port}", "--bind", "127.0.0.1"]'
        library = build_library(
            tmp_path, commits=2, culprit=99, config=_SERVICE.format(start=start, port=port)
        )
        done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 10
    assert str(port) in done.record["reason"]
    assert "taken" in done.record["reason"]


def test_a_hanging_suite_names_the_test_and_keeps_the_rest(tmp_path: Path) -> None:
    """What ran before the hang counts; the hang is a time-out, never a pass."""
    config = LIBRARY_CONFIG.replace("priority = 1", "priority = 1\nidle_timeout_s = 2.0")
    library = build_library(tmp_path, commits=3, culprit=99, config=config)
    slow = "import threading\n\n\ndef test_a_fast():\n    pass\n\n\ndef test_b_stuck():\n    threading.Event().wait()\n"
    (library.root / "tests" / "test_stuck.py").write_text(slow)
    git(library.root, "add", ".")
    git(library.root, "commit", "-q", "-m", "Add a stuck test")
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 11, done.errors
    state = state_of(only_run(library.root / "runs"))
    (cluster,) = state.clusters
    assert cluster.tests == ("tests/test_stuck.py::test_b_stuck",)
    verdict = state.verdict("suite", "cycle 1: unit")
    assert verdict is not None
    assert "4 of 5 passed" in verdict.statement
    assert leftovers(str(tmp_path)) == []


def test_a_test_file_that_cannot_be_imported_is_red(tmp_path: Path) -> None:
    """A collection error is a failure with words of its own; the other tests still run."""
    library = build_library(tmp_path, commits=3, culprit=99)
    (library.root / "tests" / "test_broken.py").write_text("import no_such_module\n")
    git(library.root, "add", ".")
    git(library.root, "commit", "-q", "-m", "Add a test that cannot be imported")
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 11, done.errors
    state = state_of(only_run(library.root / "runs"))
    verdict = state.verdict("suite", "cycle 1: unit")
    assert verdict is not None
    assert verdict.value == "red"
    assert "3 of 4 passed" in verdict.statement
    assert "no_such_module" in only_run(library.root / "runs").worklog.read_text()
