"""`loop init` writes a configuration that loads, from whatever a checkout shows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from goldenpath_loop.cli.init import init
from goldenpath_loop.config.first_draft import first_draft
from goldenpath_loop.config.load import Loaded, load
from goldenpath_loop.config.look_around import look_around
from goldenpath_loop.errors import UsageError

APP = typer.Typer()
APP.command()(init)

INDEX = """\
### Staging
Located in `tests/e2e/`:

| Priority | Suite | File | Needs | MRR at Risk |
|---|---|---|---|---|
| P1 | Events | `test_events.py` | edge, redis | $120K+ |
| P2 | Gone | `test_gone.py` | | $80K |
| P4 | Flow | `test_flow.py` | | |
"""

REPOSITORIES: dict[str, dict[str, str]] = {
    "empty": {},
    "library": {
        "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\nmarkers = ["slow: s"]\n',
        "src/thing/__init__.py": "",
        "tests/test_a.py": "",
        "tests/__init__.py": "",
    },
    "many folders": {
        "pytest.ini": "[pytest]\nmarkers =\n    smoke: quick\n    net(host): needs it\n",
        "conftest.py": "",
        "tests/unit/test_a.py": "",
        "tests/e2e/test_chat.py": "",
        "tests/smoke/test_up.py": "",
        "tests/test_top.py": "",
        "node_modules/x/tests/test_no.py": "",
    },
    "tests beside the code": {
        "pkg/__init__.py": "",
        "pkg/tests/test_a.py": "",
        "other/test_b.py": "",
        "test_c.py": "",
    },
    "indexed": {
        "tests/INDEX.md": INDEX,
        "tests/e2e/test_events.py": "",
        "tests/e2e/test_flow.py": "",
        "compose.yaml": "services:\n  edge:\n    ports: ['8000:80']\n  redis:\n    image: redis\n",
    },
    "javascript": {
        "package.json": '{"scripts": {"test": "vitest run"}}',
        "setup.cfg": "[tool:pytest]\ntestpaths = nowhere\n",
    },
    "broken files": {
        "pyproject.toml": "[tool.pytest",
        "package.json": "{",
        "pytest.ini": "no section",
        "compose.yaml": "services: []",
        "tests/test_a.py": "",
    },
    "odd names": {
        'tests/e2e "quoted" \\ {x}/test_a.py': "",
        "tests/e2e tab\t/test_b.py": "",
        "tests/\u00fcbung/test_c.py": "",
        "tests/!!!/test_d.py": "",
        "docker-compose.yml": "services:\n  a.b-c_d:\n    ports:\n      - 1:1\n",
    },
}


def git(folder: Path, *words: str) -> None:
    subprocess.run(("git", "-C", str(folder), *words), check=True, capture_output=True)


def repository(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(APP, [str(word) for word in words])


def initialised(folder: Path) -> Loaded:
    result = invoke(folder)
    assert result.exit_code == 0, result.output
    return load(folder / "goldenpath.toml", environ={})


@pytest.mark.parametrize("name", REPOSITORIES)
def test_what_it_writes_loads(name: str, tmp_path: Path) -> None:
    loaded = initialised(repository(tmp_path / "shop", REPOSITORIES[name]))
    assert loaded.settings.target.name == "shop"
    assert loaded.settings.target.branch == "trunk"
    for suite in loaded.settings.suites:
        assert (loaded.root / suite.path).exists()


def test_suites_of_folders_get_priorities_by_name(tmp_path: Path) -> None:
    loaded = initialised(repository(tmp_path / "shop", REPOSITORIES["many folders"]))
    assert {suite.path: suite.priority for suite in loaded.settings.suites} == {
        "tests/test_top.py": 3,
        "tests/e2e": 2,
        "tests/smoke": 1,
        "tests/unit": 3,
    }
    assert loaded.settings.target.tests == ("tests/", "conftest.py")
    text = (loaded.path).read_text()
    assert "# its name says `smoke`" in text
    assert "markers that pytest knows here: smoke, net" in text


def test_an_index_gives_suites_priorities_needs_and_values(tmp_path: Path) -> None:
    loaded = initialised(repository(tmp_path / "shop", REPOSITORIES["indexed"]))
    events, flow = loaded.settings.suites
    assert (events.priority, events.needs, events.value_at_risk_usd) == (1, ("edge",), 120_000)
    assert flow.priority == 4
    assert loaded.settings.target.index == "tests/INDEX.md"
    assert loaded.settings.services[0].url == "http://127.0.0.1:8000"
    assert loaded.settings.focuses[0].suites == ("events",)


def test_packages_and_test_folders_are_told_apart(tmp_path: Path) -> None:
    loaded = initialised(repository(tmp_path / "shop", REPOSITORIES["library"]))
    assert loaded.settings.target.packages == ("thing",)
    assert loaded.settings.target.tests == ("tests/",)


def test_the_remote_and_its_default_branch_are_taken_over(tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    source = repository(tmp_path / "source", {"a": ""})
    git(source, "add", ".")
    git(source, "-c", "user.name=n", "-c", "user.email=e@x", "commit", "--quiet", "-m", "first")
    git(source, "clone", "--quiet", "--bare", str(source), str(bare))
    git(source, "clone", "--quiet", "--origin", "upstream", str(bare), str(tmp_path / "clone"))
    git(tmp_path / "clone", "switch", "--quiet", "-c", "work")
    target = initialised(tmp_path / "clone").settings.target
    assert (target.remote, target.branch) == ("upstream", "trunk")


def test_it_refuses_to_overwrite_without_force(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", {"goldenpath.toml": "mine"})
    result = invoke(folder)
    assert isinstance(result.exception, UsageError)
    assert (folder / "goldenpath.toml").read_text() == "mine"
    assert invoke(folder, "--force").exit_code == 0
    assert load(folder / "goldenpath.toml", environ={}).settings.target.name == "shop"


def test_it_refuses_outside_a_repository(tmp_path: Path) -> None:
    result = invoke(tmp_path)
    assert isinstance(result.exception, UsageError)
    assert "not in a git repository" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_print_shows_the_file_and_writes_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", REPOSITORIES["library"])
    result = invoke(folder, "--print")
    assert not (folder / "goldenpath.toml").exists()
    (folder / "goldenpath.toml").write_text(result.stdout)
    assert load(folder / "goldenpath.toml", environ={}).settings.suites


def test_json_says_what_was_found(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", REPOSITORIES["indexed"])
    report = json.loads(invoke(folder, "--json").stdout)
    assert report["written"] is True
    assert [suite["name"] for suite in report["found"]["suites"]] == ["events", "flow"]
    assert report["found"]["services"][0] == {"name": "edge", "port": 8000}
    assert any("without a published port: redis" in item for item in report["to_fill_in"])


def test_it_says_what_a_person_must_fill_in(tmp_path: Path) -> None:
    output = invoke(repository(tmp_path / "shop", REPOSITORIES["javascript"])).output
    assert "To fill in:" in output
    assert "JUnit XML" in output
    assert "vitest run" in output


def test_a_folder_inside_the_checkout_configures_the_whole(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", {"tests/test_a.py": ""})
    assert invoke(folder / "tests").exit_code == 0
    assert (folder / "goldenpath.toml").is_file()


_NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in (".", ".."))


@settings(deadline=None)  # it writes files
@given(st.lists(st.tuples(_NAMES, _NAMES), min_size=1, max_size=4))
def test_any_file_names_end_in_a_file_that_loads(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    for first, second in names:
        path = folder / "tests" / f"d{first}" / f"test_{second}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / ".git").mkdir()
    (folder / "goldenpath.toml").write_text(_draft(folder), "utf-8")
    assert load(folder / "goldenpath.toml", environ={}).settings.suites


def _draft(folder: Path) -> str:
    return first_draft(look_around(folder, branch="main", remote="origin"))
