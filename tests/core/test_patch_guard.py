"""The guard before a patch is tried: one row for each way of making tests pass without mending anything."""

from __future__ import annotations

import pytest

from goldenpath_loop.core.patch_guard import MOST_FILES, MOST_LINES, imported_names, patch_problems
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.target import TargetSpec

TARGET = TargetSpec(name="shop", tests=("checks/", "./quality"))
PATH = "shop/cart.py"


def hunk(*added: str, path: str = PATH, removed: tuple[str, ...] = ()) -> Hunk:
    """A hunk of one file."""
    return Hunk(path=path, header="@@ -1 +1 @@", removed=removed, added=added, old_start=1, new_start=1)


def problems(*added: str, path: str = PATH, removed: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What the guard has against one hunk."""
    return patch_problems([hunk(*added, path=path, removed=removed)], TARGET, changed=[path])


@pytest.mark.parametrize(
    "path",
    [
        "shop/cart.py", "shop/testing.py", "shop/contest.py", "shop/latest/prices.py", "attest/sign.py",
        "shop/specials.py", "src/Contest.java", "web/protest.ts", "docs/setup.md", "shop/make.py", "go/mod.go",
        "shop/lock.py", "shop/requirements.py", "checks.py", "qualitycontrol/a.py", "größe/名前.py",
    ],
)  # fmt: skip
def test_code_may_be_patched(path: str) -> None:
    """Also where a name sounds like something else."""
    assert problems("total = 1", path=path) == ()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *(
            (path, "belongs to the tests")
            for path in (
                "checks/cart.py", "quality/a/b.py", "tests/a.py", "shop/tests/a.py", "test/a.js", "Tests/A.cs",
                "src/test/java/A.java", "spec/cart.rb", "web/__tests__/a.js", "e2e/cart.ts", "test_cart.py",
                "shop/test_cart.py", "shop/tests.py", "conftest.py", "shop/conftest.py", "shop/cart_test.go",
                "web/cart.spec.ts", "web/cart-test.js", "pytest.ini", "tox.ini", "setup.cfg", "src/CartTest.java",
                "src/CartTests.cs",
            )
        ),
        *(
            (path, "belongs to the machinery around the code")
            for path in (
                ".github/workflows/ci.yml", ".gitlab-ci.yml", "shop/.env", ".goldenpath/agents/fixer.toml",
                "Makefile", "ops/Jenkinsfile", "noxfile.py", "goldenpath.toml", "a/.hidden/b.py",
            )
        ),
        *(
            (path, "says which packages are needed")
            for path in (
                "requirements.txt", "requirements-dev.txt", "requirements/base.txt", "api/requirements.in",
                "constraints.txt", "pyproject.toml", "setup.py", "Pipfile", "package.json", "go.mod", "go.sum",
                "Cargo.toml", "Cargo.lock", "Gemfile", "poetry.lock", "package-lock.json", "pnpm-lock.yaml",
            )
        ),
    ],
)  # fmt: skip
def test_a_path_that_no_repair_touches(path: str, said: str) -> None:
    """Whatever stands in the change."""
    assert problems("x = 1", path=path) == (f"{path} {said}",)


@pytest.mark.parametrize(
    ("path", "is_inside"),
    [("shop/cart.py", True), ("web", True), ("web/a/b.js", True), ("shopping/a.py", False), ("a.py", False)],
)
def test_only_what_the_target_lets_be_patched(path: str, is_inside: bool) -> None:
    """Prefixes are folders, not beginnings of names."""
    target = TARGET.model_copy(update={"patchable": ("shop/", "web")})
    found = patch_problems([hunk("x = 1", path=path)], target, changed=[path])
    assert found == (() if is_inside else (f"{path} lies outside of what may be patched",))


def test_a_patch_changes_something_and_not_too_much() -> None:
    """Files and lines are counted over all hunks."""
    assert patch_problems([], TARGET, changed=[]) == ("it changes nothing",)
    paths = [f"shop/{number}.py" for number in range(MOST_FILES + 1)]
    many = [hunk("x = 1", path=path) for path in paths]
    assert patch_problems(many[:-1], TARGET, changed=paths[:-1]) == ()
    assert patch_problems(many, TARGET, changed=paths) == ("it changes 11 files, and 10 are allowed",)
    half = ("x = 1",) * (MOST_LINES // 2)
    long = [hunk(*half), hunk(removed=half)]
    assert patch_problems(long, TARGET, changed=[PATH]) == ()
    assert patch_problems([*long, hunk("y = 1")], TARGET, changed=[PATH]) == (
        "it changes 401 lines, and 400 are allowed",
    )


def test_what_changes_without_text_is_refused() -> None:
    """A mode, a rename, a binary file."""
    found = patch_problems([hunk("x = 1")], TARGET, changed=[PATH, "shop/logo.png"])
    assert found == ("shop/logo.png changes in a way that is no text",)


UNDER_TEST = (
    'if "PYTEST_CURRENT_TEST" in os.environ:',
    "if os.getenv('PYTEST_XDIST_WORKER'):",
    'if "pytest" in sys.modules:',
    "if sys.modules.get('pytest'):",
    'if sys.modules["_pytest"]:',
    "if 'unittest' in sys.modules:",
    'testing = any("pytest" in one for one in sys.modules)',
    "if sys.argv[0].endswith('pytest'):",
    "if 'pytest' in sys.argv[0]:",
)
SKIPS = (
    "pytest.skip('later')",
    "pytest.xfail('known')",
    "@pytest.mark.skip",
    "@pytest.mark.skipif(True, reason='x')",
    "@pytest.mark.xfail",
    "@unittest.skip('x')",
    "describe.only('cart', () => {",
    "it.skip('adds', () => {",
)
SWALLOWS = (
    "except KeyError: pass",
    "except:\n    pass",
    "except (KeyError, ValueError) as error:\n        pass",
    "except Exception:  # it happens\n    pass",
    "except Exception:\n    # it happens\n\n    pass",
    "except Exception: ...",
    "except Exception:\n    ...",
    "with contextlib.suppress(KeyError):",
    "with suppress(Exception):",
    "} catch (error) {}",
    "} catch {\n}",
)


@pytest.mark.parametrize(
    ("added", "said"),
    [
        *((one, "behaves differently under test") for one in UNDER_TEST),
        *((one, "skips a test") for one in SKIPS),
        *((one, "swallows an exception") for one in SWALLOWS),
    ],
)
def test_a_shape_that_is_no_repair(added: str, said: str) -> None:
    """Found in what is added; taking it away is welcome."""
    assert problems("before = 1", *added.split("\n"), "after = 1") == (f"{PATH} {said}",)
    assert problems("total = 1", removed=tuple(added.split("\n"))) == ()


@pytest.mark.parametrize(
    "added",
    [
        "except KeyError:\n    return 0",
        "except KeyError as error:\n    raise NotFound(name) from error",
        "except KeyError:\n    log.warning('pass')",
        "passed = 1",
        "class Broken(Exception):\n    pass",
        "suppressed = True",
        "skip = pages.skip(3)",
        "runner = ['pytest', '-q']",
        "modules = sys.modules",
        "} catch (error) { report(error) }",
        "raise ValueError",
    ],
)
def test_what_only_looks_like_it(added: str) -> None:
    """Handling an error is not swallowing it."""
    assert problems(*added.split("\n")) == ()


@pytest.mark.parametrize(
    ("removed", "added", "is_swallowed"),
    [
        ("        raise", "        pass", True),
        ("    raise Lost(name)", "    ...  # fine", True),
        ("    raise Lost(name)", "    raise Lost(name) from error", False),
        ("    raise Lost(name)", "    return None", False),
        ("    x = 1", "    pass", False),
    ],
)
def test_an_error_that_was_raised_must_not_pass_silently(
    removed: str, added: str, is_swallowed: bool
) -> None:
    """Where the handler itself stays as it is, the change shows only its body."""
    said = (f"{PATH} swallows an exception",) if is_swallowed else ()
    assert problems(added, removed=(removed,)) == said


def test_every_reason_is_given_once() -> None:
    """The first one first: paths, sizes, then shapes."""
    hunks = [hunk("except: pass"), hunk("except: pass"), hunk("pytest.skip()", path="tests/a.py")]
    assert patch_problems(hunks, TARGET, changed=[PATH, "tests/a.py"]) == (
        "tests/a.py belongs to the tests",
        f"{PATH} swallows an exception",
        "tests/a.py skips a test",
    )


@pytest.mark.parametrize(
    ("added", "names"),
    [
        ("import os", {"os"}),
        ("    import requests.adapters", {"requests"}),
        ("import os, evil, json as j", {"os", "evil", "json"}),
        ("import os; import evil", {"os", "evil"}),
        ("if True: import evil", {"evil"}),
        ("import numpy as np  # import nothing", {"numpy"}),
        ("from yaml import load", {"yaml"}),
        ("from a.b.c import d, e", {"a"}),
        ("try: from ujson import loads", {"ujson"}),
        ("from . import near", set[str]()),
        ("from .near import here", set[str]()),
        ('tool = importlib.import_module("evil.tool")', {"evil"}),
        ("tool = __import__('evil')", {"evil"}),
        ("important = 1", set[str]()),
        ("text = 'you may import goods'", set[str]()),
    ],
)
def test_names_of_packages_that_a_patch_brings_in(added: str, names: set[str]) -> None:
    """Top level ones, of Python files."""
    assert imported_names([hunk(*added.split("\n"))]) == names
    assert imported_names([hunk(added, path="shop/cart.js")]) == set()
