"""Each rule sees what is new, and leaves alone what was there before."""

from __future__ import annotations

import pytest

from goldenpath_loop.audit.rules import audit
from goldenpath_loop.audit.source import TooDeep, Version, parse

LONG = "\n".join(f"    {name} = {number}" for number, name in enumerate("abcdefg"))


def _issues(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str, int]]:
    changed = frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    found = audit(
        Version({path: before[path] for path in before if path in changed}), Version(after), changed
    )
    return [(issue.rule, issue.path, issue.line) for issue in found.issues]


MARKED = "a = 1\n<<<<<<< HEAD\nb = 2\n=======\nb = 3\n>>>>>>> other\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a.md": ""}, {"a.md": MARKED}, [("conflict-marker", "a.md", 2), ("conflict-marker", "a.md", 6)]),
        ({}, {"a.yaml": MARKED}, [("conflict-marker", "a.yaml", 2), ("conflict-marker", "a.yaml", 6)]),
        ({"a.md": MARKED}, {"a.md": f"text\n{MARKED}"}, []),
        (
            {"a.md": MARKED},
            {"a.md": MARKED + MARKED},
            [("conflict-marker", "a.md", 8), ("conflict-marker", "a.md", 12)],
        ),
        ({"a.md": ""}, {"a.md": "Title\n=======\n>> quoted\n <<<<<<< not at the start\n"}, []),
        ({"a.py": "x = 1"}, {"a.py": "x = ("}, [("syntax", "a.py", 1)]),
        ({}, {"a.py": "def f(:\n"}, [("syntax", "a.py", 1)]),
        ({"a.py": "x = ("}, {"a.py": "y = ("}, []),
        ({"a.py": "x = 1"}, {"a.py": "x = 1\0"}, [("syntax", "a.py", 0)]),
        ({"a.py": "x = 1"}, {"a.py": r"x = '\d' is 1"}, []),
        ({"a.txt": "x = 1"}, {"a.txt": "x = ("}, []),
    ],
)
def test_markers_and_syntax(
    before: dict[str, str], after: dict[str, str], expected: list[tuple[str, str, int]]
) -> None:
    assert _issues(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("def f(): ...\n", "def f(): ...\ndef f(): ...\n", [2]),
        ("def f(): ...\n", "def f(): ...\nasync def f(): ...\n", [2]),
        ("def f(): ...\n", "def f(): ...\nclass f: ...\n", [2]),
        ("def f(): ...\ndef f(): ...\n", "x = 1\ndef f(): ...\ndef f(): ...\n", []),
        ("def f(): ...\ndef f(): ...\n", "def f(): ...\ndef f(): ...\ndef f(): ...\n", [3]),
        ("", "class A:\n    def f(self): ...\n    def f(self): ...\n", [3]),
        ("", "class A:\n    def f(self): ...\nclass B:\n    def f(self): ...\n", []),
        ("", "class A:\n    @property\n    def f(self): ...\n    @f.setter\n    def f(self, x): ...\n", []),
        ("", "@overload\ndef f(x: int): ...\n@overload\ndef f(x: str): ...\ndef f(x): ...\n", []),
        ("", "@f.register\ndef _(x: int): ...\n@f.register\ndef _(x: str): ...\n", []),
        ("", "try:\n    def f(): ...\nexcept E:\n    def f(): ...\n", []),
        ("x = (", "def f(): ...\ndef f(): ...\n", [2]),
    ],
)
def test_second_definitions(before: str, after: str, lines: list[int]) -> None:
    assert _issues({"a.py": before}, {"a.py": after}) == [
        ("second-definition", "a.py", line) for line in lines
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"b.py": f"def g():\n{LONG}\n"},
            {"a.py": f"def f():\n{LONG}\n", "b.py": f"def g():\n{LONG}\n"},
            ["a.py"],
        ),
        (
            {"b.py": f"def g():\n{LONG}\n"},
            {"a.py": f"async def f(x):\n    'Words.'\n{LONG}\n", "b.py": f"def g():\n{LONG}\n"},
            ["a.py"],
        ),
        (
            {"a.py": ""},
            {"a.py": f"def f():\n{LONG}\nclass A:\n  def g(self):\n{LONG.replace('    ', '     ')}\n"},
            ["a.py"],
        ),
        ({"b.py": f"def g():\n{LONG}\n"}, {"a.py": f"def g():\n{LONG}\n"}, []),
        (
            {"b.py": f"def g():\n{LONG}\n"},
            {"b.py": f"def g():\n{LONG}\n    h = 0\n", "a.py": f"def f():\n{LONG}\n"},
            [],
        ),
        (
            {"a.py": f"def f():\n{LONG}\ndef g():\n{LONG}\n"},
            {"a.py": f"x = 1\ndef f():\n{LONG}\ndef g():\n{LONG}\n"},
            [],
        ),
        ({}, {"a.py": "def f():\n    a = 1\n    b = 2\n", "b.py": "def f():\n    a = 1\n    b = 2\n"}, []),
        ({}, {"a.py": f"def f():\n{LONG}\n", "b.py": f"def f():\n{LONG.replace('6', '7')}\n"}, []),
    ],
)
def test_duplicates(before: dict[str, str], after: dict[str, str], expected: list[str]) -> None:
    assert [(rule, path) for rule, path, _ in _issues(before, after)] == [
        ("duplicate", path) for path in expected
    ]


def test_a_duplicate_names_its_like() -> None:
    before = {"b.py": f"\n\ndef g():\n{LONG}\n"}
    after = {**before, "a.py": f"def f():\n{LONG}\n"}

    (issue,) = audit(Version({}), Version(after), frozenset({"a.py"})).issues

    assert issue.message == "f has the same body as g in b.py:3"
    assert issue.quote == "def f():"


def test_what_is_no_python_is_listed_and_the_rest_is_still_looked_at() -> None:
    before = {"a.py": "def f(): ...\n"}
    after = {"a.py": "", "old.py": "print 'hello'", "b.py": "from a import f\n", "z.py": "from a import f\n"}

    outcome = audit(Version(before), Version(after), frozenset({"a.py"}))

    assert outcome.unparsed == ("old.py",)
    assert [(issue.rule, issue.path) for issue in outcome.issues] == [
        ("lost-name", "b.py"),
        ("lost-name", "z.py"),
    ]


@pytest.mark.parametrize("count", [950, 2_500, 20_000])
def test_an_expression_of_very_many_terms_is_no_sin_and_does_not_stop_the_audit(count: int) -> None:
    deep = f"def f(x):\n{LONG}\n    return {' + '.join('x' for _ in range(count))}\n"

    # Whether the likeness is still seen depends on the depth; that the file is fine does not.
    assert {rule for rule, *_ in _issues({}, {"a.py": deep, "b.py": deep})} <= {"duplicate"}


def test_a_file_nested_too_deeply_for_us_is_unread_and_one_too_deep_for_python_is_broken() -> None:
    after = {"minus.py": "x = " + "-" * 100_000 + "1", "brackets.py": "x = " + "(" * 500 + ")" * 500}

    outcome = audit(Version({}), Version(after), frozenset(after))

    assert outcome.unparsed == ("brackets.py", "minus.py")
    assert [(issue.rule, issue.path) for issue in outcome.issues] == [("syntax", "brackets.py")]
    assert isinstance(parse(after["minus.py"]), TooDeep)
