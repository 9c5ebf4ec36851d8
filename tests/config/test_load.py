"""A configuration loads and says where each value came from, or every problem is named with its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.config.load import Loaded, find_config, load
from goldenpath_loop.config.origin import Origin
from goldenpath_loop.config.problems import UnusableConfigurationError
from goldenpath_loop.errors import ConfigurationError

FULL = """\
[target]
name = "chat"
tests = ["tests/"]

[deploy]
adapter = "process"
env_file = "../staging.env"

[services.auth]
start = ["{python}", "-m", "auth"]
env = { PORT = "{port}", BACKEND_URL = "{services.backend.url}" }
required_settings = ["SERVICE_SECRET"]
revision = "revision"
[[services.auth.probes]]
name = "health"
kind = "http"
path = "/health"
[[services.auth.probes]]
name = "chat"
kind = "websocket"
subprotocols = ["chat.v1"]
send = '{"type": "chat", "text": "hello"}'
[services.auth.probes.login]
url = "{services.auth.url}/login"
json = { user = "probe@example.test", password = "{env.PASSWORD}" }

[services.backend]
start = ["{python}", "-m", "backend"]

[suites.events]
path = "tests/e2e/test_events.py"
priority = 1
needs = ["auth", "backend"]
value_at_risk_usd = 120000
env = { E2E_BASE_URL = "{services.auth.url}" }

[suites.web]
command = ["npm", "test"]
junit = "report.xml"

[focuses.goldenpath]
suites = ["events"]

[gates]
P2 = 0.2

[limits]
cycles = 4
"""


def written(folder: Path, text: str, *, environ: Mapping[str, str] | None = None) -> Loaded:
    path = folder / "goldenpath.toml"
    path.write_text(text, "utf-8")
    return load(path, environ=environ or {})


def problems_of(
    folder: Path, text: str, *, environ: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    with pytest.raises(UnusableConfigurationError) as caught:
        written(folder, text, environ=environ)
    return [(problem.where, problem.message, problem.advice) for problem in caught.value.problems]


def test_a_full_configuration_becomes_settings(tmp_path: Path) -> None:
    loaded = written(tmp_path, FULL)
    settings = loaded.settings
    assert [service.name for service in settings.services] == ["auth", "backend"]
    assert settings.services[0].probes[1].login is not None
    assert settings.services[0].probes[1].login.json_body["user"] == "probe@example.test"
    assert settings.suites[0].value_at_risk_usd == 120000
    assert settings.gates == {"P1": 0.0, "P2": 0.2, "P3": 0.1, "P4": 0.1, "P5": 0.2, "P6": 0.2}
    assert (loaded.root, loaded.demo) == (tmp_path, "")


def test_each_value_remembers_its_origin(tmp_path: Path) -> None:
    origins = written(tmp_path, FULL, environ={"GOLDENPATH_LIMITS__CYCLES": "3"}).origins
    assert origins["services.auth.probes.1.kind"] == Origin("goldenpath.toml", 20)
    assert origins["services.auth.env.PORT"] == Origin("goldenpath.toml", 11)
    assert origins["services.auth.probes.1.login.json.user"] == Origin("goldenpath.toml", 25)
    assert str(origins["limits.cycles"]) == "environment GOLDENPATH_LIMITS__CYCLES"
    assert str(origins["limits.duration_s"]) == "default"
    assert str(origins["gates.P2"]) == "goldenpath.toml:45"


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    environ = {
        "GOLDENPATH_LIMITS__CYCLES": "9",
        "GOLDENPATH_TARGET__BRANCH": "release",
        "GOLDENPATH_TARGET__TESTS": '["t/", "u/"]',
        "GOLDENPATH_SERVICES__AUTH__PORT": "8001",
        "GOLDENPATH_GATES__P1": "0.5",
        "GOLDENPATH_HOME": "/not/ours",
        "OTHER__THING": "x",
    }
    settings = written(tmp_path, FULL, environ=environ).settings
    assert settings.limits.cycles == 9
    assert settings.target.branch == "release"
    assert settings.target.tests == ("t/", "u/")
    assert settings.services[0].port == 8001
    assert settings.gates["P1"] == 0.5


TARGET = '[target]\nname = "x"\n'

ERRORS = {
    "unknown key": (
        TARGET + "[services.auth]\nport = 80\nprot = 1\n",
        ("goldenpath.toml:5: services.auth.prot", "unknown key `prot`", "did you mean `port`?"),
    ),
    "unknown table": (
        TARGET + "[service.auth]\nport = 80\n",
        ("goldenpath.toml:3: service", "unknown table `service`", "did you mean `services`?"),
    ),
    "wrong type": (
        TARGET + '[limits]\ncycles = "3"\n',
        ("goldenpath.toml:4: limits.cycles", "`cycles` must be a whole number, not text", ""),
    ),
    "list wanted": (
        TARGET + '[services.a]\nport = 1\nstart = "python -m a"\n',
        (
            "goldenpath.toml:5: services.a.start",
            "`start` must be a list, not text",
            'write a list: start = ["..."]',
        ),
    ),
    "date": (
        TARGET + "[loop]\nruns = 2026-01-01\n",
        ("goldenpath.toml:4: loop.runs", "`runs` must be text, not a date or time", ""),
    ),
    "infinite": (
        TARGET + "[limits]\nduration_s = inf\n",
        (
            "goldenpath.toml:4: limits.duration_s",
            "`duration_s` must be a number, not an infinite or undefined number",
            "",
        ),
    ),
    "huge": (
        TARGET + "[limits]\ncycles = 0x" + "f" * 6000 + "\n",
        ("goldenpath.toml:4: limits.cycles", "`cycles` must be a whole number, not a number that large", ""),
    ),
    "too small": (
        TARGET + "[limits]\ncycles = 0\n",
        ("goldenpath.toml:4: limits.cycles", "`cycles` must be at least 1", ""),
    ),
    "element of a list": (
        TARGET + '[services.a]\nport = 1\nrequired_settings = [\n  "A",\n  2,\n]\n',
        (
            "goldenpath.toml:7: services.a.required_settings.1",
            "element 1 of `required_settings` must be text, not a whole number",
            "",
        ),
    ),
    "missing key": (
        TARGET + '[services.a]\nport = 1\n[[services.a.probes]]\nname = "p"\n',
        ("goldenpath.toml:5: services.a.probes.0.kind", "missing key `kind`", ""),
    ),
    "missing target": (
        "[limits]\ncycles = 1\n",
        ("goldenpath.toml: target", "missing table [target]", 'add [target] with name = "..."'),
    ),
    "empty file": (
        "",
        ("goldenpath.toml: target", "missing table [target]", "`loop init` writes a first version"),
    ),
    "missing name": ("[target]\n", ("goldenpath.toml:1: target.name", "missing key `name`", "")),
    "wrong word": (
        TARGET + '[services.a]\nport = 1\n[[services.a.probes]]\nname = "p"\nkind = "htp"\n',
        ("goldenpath.toml:7: services.a.probes.0.kind", "`kind` cannot be `htp`", "did you mean `http`?"),
    ),
    "unknown service": (
        TARGET + '[services.auth]\nport = 1\n[suites.s]\npath = "t.py"\nneeds = ["auht"]\n',
        ("goldenpath.toml:7: suites.s.needs.0", "unknown service `auht`", "did you mean `auth`?"),
    ),
    "unknown suite": (
        TARGET + '[suites.s1]\npath = "t.py"\n[focuses.f]\nsuites = ["s2"]\n',
        ("goldenpath.toml:6: focuses.f.suites.0", "unknown suite `s2`", "known: `s1`"),
    ),
    "unknown service in a substitution": (
        TARGET + '[services.auth]\nport = 1\nenv = { B = "{services.atuh.url}/x" }\n',
        (
            "goldenpath.toml:5: services.auth.env.B",
            "unknown service `atuh` in `{services.atuh.url}`",
            "did you mean `auth`?",
        ),
    ),
    "unknown substitution": (
        TARGET + '[services.auth]\nport = 1\nenv = { B = "{prot}" }\n',
        ("goldenpath.toml:5: services.auth.env.B", "nothing fills in `{prot}`", "did you mean `port`?"),
    ),
    "suite of nothing": (
        TARGET + "[suites.s]\npriority = 1\n",
        ("goldenpath.toml:3: suites.s", "suite `s` has neither `path` nor `command`", ""),
    ),
    "suite of both": (
        TARGET + '[suites.s]\npath = "t"\ncommand = ["t"]\njunit = "r.xml"\n',
        (
            "goldenpath.toml:5: suites.s.command",
            "suite `s` has both `path` and `command`",
            "keep one of them",
        ),
    ),
    "junit alone": (
        TARGET + '[suites.s]\npath = "t"\njunit = "r.xml"\n',
        (
            "goldenpath.toml:5: suites.s.junit",
            "`junit` goes with `command`; pytest suites report on their own",
            "",
        ),
    ),
    "command without junit": (
        TARGET + '[suites.s]\ncommand = ["npm", "test"]\n',
        (
            "goldenpath.toml:4: suites.s.command",
            "suite `s` runs a command and does not say where it writes its results",
            'add the JUnit XML file it writes: junit = "report.xml"',
        ),
    ),
    "path out of the checkout": (
        TARGET + '[suites.s]\npath = "../t"\n',
        (
            "goldenpath.toml:4: suites.s.path",
            "`path` leads out of the checkout",
            "write it relative to the checkout",
        ),
    ),
    "unknown gate": (
        TARGET + "[gates]\nP7 = 0.1\n",
        ("goldenpath.toml:4: gates.P7", "unknown gate `P7`", "known: `P1`, `P2`, `P3`, `P4`, `P5`, `P6`"),
    ),
    "gate out of range": (
        TARGET + "[gates]\nP1 = 5\n",
        (
            "goldenpath.toml:4: gates.P1",
            "`P1` must be between 0 and 1",
            "it is a share, for example 0.05 for one red test in twenty",
        ),
    ),
    "gate that is no number": (
        TARGET + "[gates]\nP1 = nan\n",
        (
            "goldenpath.toml:4: gates.P1",
            "`P1` must be between 0 and 1",
            "it is a share, for example 0.05 for one red test in twenty",
        ),
    ),
    "process without start": (
        TARGET + '[deploy]\nadapter = "process"\n[services.a]\nport = 1\n',
        (
            "goldenpath.toml:5: services.a",
            'service `a` has no `start`, and adapter = "process" must start it',
            "",
        ),
    ),
    "command without command": (
        TARGET + '[deploy]\nadapter = "command"\n[services.a]\nport = 1\n',
        (
            "goldenpath.toml:3: deploy",
            'adapter = "command" needs `command`',
            'for example ["scripts/deploy.sh", "{revision}"]',
        ),
    ),
    "adapter without services": (
        TARGET + '[deploy]\nadapter = "process"\n',
        (
            "goldenpath.toml:4: deploy.adapter",
            'adapter = "process" has no service to deploy',
            "add [services.NAME] tables, or leave [deploy] out",
        ),
    ),
    "service without address": (
        TARGET + '[services.a]\nstart = ["a"]\n',
        (
            "goldenpath.toml:3: services.a",
            "service `a` has neither `url` nor `port`",
            'adapter = "none" does not start it: say where it answers, or set adapter = "process"',
        ),
    ),
    "two probes of one name": (
        TARGET + '[services.a]\nport = 1\nprobes = [\n{name="p", kind="tcp"},\n{name="p", kind="tcp"},\n]\n',
        ("goldenpath.toml:7: services.a.probes.1.name", "two probes are called `p`", ""),
    ),
    "revision without http": (
        TARGET + '[services.a]\nport = 1\nrevision = "r"\n',
        (
            "goldenpath.toml:5: services.a.revision",
            "`revision` is read from the first http probe, and service `a` has none",
            "",
        ),
    ),
    "services as a list": (
        TARGET + '[[services]]\nname = "a"\n',
        (
            "goldenpath.toml:3: services",
            "`services` must hold named tables, not a list",
            "write [services.NAME]",
        ),
    ),
    "name as a key": (
        TARGET + '[services.a]\nport = 1\nname = "b"\n',
        ("goldenpath.toml:5: services.a.name", "unknown key `name`", "the name stands in [services.a]"),
    ),
    "name with a space": (
        TARGET + '[suites."a b"]\npath = "t"\n',
        (
            "goldenpath.toml:3: suites.a b",
            "a name is made of ASCII letters, digits, `.`, `-` and `_`, not `a b`",
            "",
        ),
    ),
    "demo beside a target": (
        'demo = "d"\n[target]\nname = "x"\n',
        (
            "goldenpath.toml:2: target",
            "`target` cannot stand beside `demo`",
            "with `demo` only [limits] and [loop] may be set",
        ),
    ),
    "demo of a wrong type": (
        "demo = 1\n",
        ("goldenpath.toml:1: demo", "`demo` must be text, not a whole number", ""),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_mistake_is_named_with_line_key_and_advice(name: str, tmp_path: Path) -> None:
    text, problem = ERRORS[name]
    assert problems_of(tmp_path, text) == [problem]


def test_all_problems_are_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TARGET + '[services.auth]\nport = "x"\nenv = { A = "{prot}" }\n[suites.s]\nneeds = ["oops"]\n'
    found = problems_of(tmp_path, text)
    assert [where for where, _, _ in found] == [
        "goldenpath.toml:4: services.auth.port",
        "goldenpath.toml:5: services.auth.env.A",
        "goldenpath.toml:6: suites.s",
        "goldenpath.toml:7: suites.s.needs.0",
    ]
    with pytest.raises(ConfigurationError) as caught:
        written(tmp_path, text)
    assert caught.value.where == found[0][0]
    assert all(f"{where}: {message}" in str(caught.value) for where, message, _ in found)
    assert caught.value.exit_code == 3


def test_a_mistake_in_one_table_does_not_bring_up_false_ones_elsewhere(tmp_path: Path) -> None:
    text = (
        TARGET
        + '[deploy]\nadapter = "proces"\n[services.a]\nstart = ["a"]\n[suites.s]\npath = 3\nneeds = ["a"]\n'
    )
    assert [where for where, _, _ in problems_of(tmp_path, text)] == [
        "goldenpath.toml:4: deploy.adapter",
        "goldenpath.toml:8: suites.s.path",
    ]


def test_a_wrong_value_is_never_shown_for_it_may_be_a_secret(tmp_path: Path) -> None:
    text = (
        TARGET
        + '[services.a]\nport = 1\n[[services.a.probes]]\nname = "p"\nkind = "http"\n'
        + 'login = { url = "u", json = { password = 424242 } }\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        written(tmp_path, text)
    assert "424242" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "where", "message", "advice"),
    [
        (
            {"GOLDENPATH_LIMITS__CYCLE": "3"},
            "environment GOLDENPATH_LIMITS__CYCLE",
            "fits no key of the configuration",
            "did you mean `GOLDENPATH_LIMITS__CYCLES`?",
        ),
        (
            {"GOLDENPATH_LIMITS__CYCLES": "many"},
            "environment GOLDENPATH_LIMITS__CYCLES",
            "`cycles` must be a whole number, not text",
            "",
        ),
        (
            {"GOLDENPATH_SUITES__EVENTS__NEEDS": '["atuh"]'},
            "environment GOLDENPATH_SUITES__EVENTS__NEEDS",
            "unknown service `atuh`",
            "did you mean `auth`?",
        ),
    ],
)
def test_a_wrong_variable_is_named(
    environ: dict[str, str], where: str, message: str, advice: str, tmp_path: Path
) -> None:
    assert problems_of(tmp_path, FULL, environ=environ) == [(where, message, advice)]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('[target]\nname = "x\n', "goldenpath.toml:2:10", "not TOML: "),
        ("[target]\nname = ", "goldenpath.toml:2", "not TOML: "),
        ("[target]\nname = [", "goldenpath.toml:2", "not TOML: "),
        (
            "[services.a]\n[services.b]\n[services.a]\n",
            "goldenpath.toml:3:12",
            "[services.a] is defined twice",
        ),
        ("[target]\nname = 1\nname = 2\n", "goldenpath.toml:3:9", "the key is defined twice"),
        ("a = " + "[" * 5000, "goldenpath.toml", "lists or tables are nested too deeply"),
        ("a = " + "9" * 5000, "goldenpath.toml", "not TOML: "),
    ],
)
def test_broken_toml_is_located(text: str, where: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        written(tmp_path, text)
    assert (caught.value.where, caught.value.message[: len(message)]) == (where, message)


def test_a_file_that_is_not_text_is_located(tmp_path: Path) -> None:
    path = tmp_path / "goldenpath.toml"
    path.write_bytes(b'[target]\nname = "\xff"\n')
    with pytest.raises(ConfigurationError, match="not UTF-8") as caught:
        load(path, environ={})
    assert caught.value.where == "goldenpath.toml:2"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path / "goldenpath.toml", environ={})


def test_pyproject_holds_the_same_tree(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[project]\nname = "p"\n[tool.goldenpath.target]\nname = "x"\n[tool.goldenpath.limits]\ncycles = 2\n'
    )
    loaded = load(path, environ={})
    assert loaded.settings.limits.cycles == 2
    assert str(loaded.origins["limits.cycles"]) == "pyproject.toml:6"
    path.write_text('[tool.goldenpath.target]\nnam = "x"\nname = "y"\n')
    with pytest.raises(UnusableConfigurationError) as caught:
        load(path, environ={})
    assert caught.value.where == "pyproject.toml:2: tool.goldenpath.target.nam"
    path.write_text("[project]\n")
    with pytest.raises(ConfigurationError, match=r"no \[tool.goldenpath\] table"):
        load(path, environ={})


def test_demo_needs_nothing_else_and_takes_limits(tmp_path: Path) -> None:
    loaded = written(tmp_path, 'demo = "websocket-route"\n[limits]\ncycles = 2\n[loop]\njobs = 3\n')
    assert loaded.demo == "websocket-route"
    assert (loaded.settings.limits.cycles, loaded.settings.loop.jobs) == (2, 3)


def test_the_nearest_configuration_is_found_upwards(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.goldenpath]\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\n")
    assert find_config(deep) == tmp_path.resolve() / "pyproject.toml"
    (tmp_path / "goldenpath.toml").write_text("")
    assert find_config(deep) == tmp_path.resolve() / "goldenpath.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.goldenpath\n")
    assert find_config(deep) == tmp_path.resolve() / "a" / "pyproject.toml"


def test_the_root_is_the_top_of_the_checkout(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "ops"
    folder.mkdir()
    assert written(folder, TARGET).root == tmp_path.resolve()


INDEX = """
| Priority | Suite | File | Needs | MRR at Risk |
|---|---|---|---|---|
| P1 | Events | `test_events.py` | auth | $120K+ |
| P2 | Flow | `test_flow.py` | | $80K |
"""


def test_suites_come_from_the_index_when_none_is_configured(tmp_path: Path) -> None:
    staging = tmp_path / "tests" / "e2e" / "staging"
    staging.mkdir(parents=True)
    (staging / "test_events.py").touch()
    (tmp_path / "tests" / "INDEX.md").write_text(INDEX)
    text = TARGET + 'index = "tests/INDEX.md"\n[services.auth]\nport = 1\n[focuses.f]\nsuites = ["events"]\n'
    loaded = written(tmp_path, text)
    assert [(suite.name, suite.path, suite.priority) for suite in loaded.settings.suites] == [
        ("events", "tests/e2e/staging/test_events.py", 1),
        ("flow", "test_flow.py", 2),
    ]
    assert str(loaded.origins["suites.events.path"]) == "tests/INDEX.md:4"
    own = written(tmp_path, text + '[suites.events]\npath = "t.py"\n')
    assert [suite.path for suite in own.settings.suites] == ["t.py"]


def test_an_unknown_service_in_the_index_is_located_there(tmp_path: Path) -> None:
    (tmp_path / "INDEX.md").write_text(INDEX)
    found = problems_of(tmp_path, '[target]\nname = "x"\nindex = "INDEX.md"\n[services.auht]\nport = 1\n')
    assert found == [("INDEX.md:4: suites.events.needs.0", "unknown service `auth`", "did you mean `auht`?")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the test index cannot be read: "),
        ("# Tests\n\n| Suite | Tests |\n|--|--|\n| a | 3 |\n", "the test index has no row that can be used"),
    ],
)
def test_an_unusable_index_says_what_is_expected(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "INDEX.md").write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        written(tmp_path, '[target]\nname = "x"\nindex = "INDEX.md"\n')
    assert caught.value.where == "INDEX.md"
    assert caught.value.message.startswith(message)
    if content is not None:
        assert "Priority, Suite, File" in caught.value.advice
        assert "line 5: the row names no test file" in caught.value.advice


def test_a_file_name_that_fits_several_files_is_not_guessed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "tests" / name).mkdir(parents=True)
        (tmp_path / "tests" / name / "test_events.py").touch()
    (tmp_path / "INDEX.md").write_text(INDEX)
    with pytest.raises(ConfigurationError, match=r"could be any of tests/a/test_events.py, tests/b/"):
        written(tmp_path, '[target]\nname = "x"\nindex = "INDEX.md"\n[services.auth]\nport = 1\n')


def _loads_or_is_refused(folder: Path, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / "goldenpath.toml"
    path.write_bytes(content)
    try:
        loaded = load(path, environ={})
    except ConfigurationError as error:
        assert str(error)
        assert "goldenpath.toml" in error.where
    else:
        assert loaded.settings.target.name


@settings(deadline=None)  # it writes files
@given(st.integers(0, len(FULL)))
def test_any_prefix_loads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    _loads_or_is_refused(tmp_path_factory.getbasetemp() / "written", FULL[:length].encode())


@settings(deadline=None)  # it writes files
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(FULL) - 1),
            st.integers(0, 12),
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from(
                    [
                        b"[",
                        b"[[",
                        b"]",
                        b"\n[services]\n",
                        b'"',
                        b"'''",
                        b" = ",
                        b"{",
                        b"}",
                        b"1",
                        b"inf",
                        b"\n",
                        b"true",
                        b"1979-05-27",
                        b"{services.x.url}",
                        b"\n[target]\n",
                        b"name",
                        b"demo = 1\n",
                        b"-",
                        b".",
                        b"0x",
                    ]
                ),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_mutation_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int, bytes]]
) -> None:
    content = FULL.encode()
    for start, length, replacement in edits:
        content = content[:start] + replacement + content[start + length :]
    _loads_or_is_refused(tmp_path_factory.getbasetemp() / "written", content)


@settings(deadline=None)  # it writes files
@given(
    st.dictionaries(
        st.sampled_from(
            ["target", "deploy", "services", "suites", "focuses", "gates", "limits", "demo", "x"]
        ),
        st.recursive(
            st.sampled_from(
                ['"a"', "1", "1.5", "true", "nan", "-inf", "1979-05-27", "07:32:00", '""', '"{port}"']
            ),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
                st.dictionaries(
                    st.sampled_from(
                        ["name", "a", "start", "port", "probes", "login", "json", "kind", "env", "P1"]
                    ),
                    inner,
                    max_size=3,
                ).map(
                    lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
                ),
            ),
            max_leaves=8,
        ),
    )
)
def test_any_tree_loads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, str]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in tree.items())
    _loads_or_is_refused(tmp_path_factory.getbasetemp() / "written", text.encode())
