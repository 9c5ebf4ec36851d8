"""What a runner printed is searched for the line that says why."""

from __future__ import annotations

import pytest

from goldenpath_loop.suites.console import last_lines, stack_frames, why_not_started


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("", ""),
        ("\n \n", ""),
        ("something\nlast words\n\n", "last words"),
        ("/usr/bin/python3: No module named pytest\n", "pytest is not installed for py: install it there"),
        (
            "ERROR: usage: python -m pytest [options]\npython -m pytest: error: unrecognized arguments: -x\n",
            "python -m pytest: error: unrecognized arguments: -x",
        ),
        (
            "ImportError while loading conftest '/t/conftest.py'.\nconftest.py:1: in <module>\n"
            "    import x\nE   ModuleNotFoundError: No module named 'x'\n",
            "ImportError while loading conftest '/t/conftest.py'. ModuleNotFoundError: No module named 'x'",
        ),
        ("=== header ===\n\x1b[31mERROR: file or directory not found: x.py\x1b[0m\n\n", None),
        ("INTERNALERROR> Traceback\nINTERNALERROR> ZeroDivisionError: division by zero\n", None),
        (
            "= FAILURES =\n!!!!!! _pytest.outcomes.Exit: enough !!!!!!\n= 1 passed =\n",
            "_pytest.outcomes.Exit: enough",
        ),
    ],
)
def test_the_telling_line_is_found(output: str, why: str | None) -> None:
    found = why_not_started(output, python="py")
    if why is None:
        assert found in output
        assert "not found: x.py" in found or found == "ZeroDivisionError: division by zero"
    else:
        assert found == why


def test_a_long_line_is_cut() -> None:
    assert len(why_not_started("ERROR: " + "x" * 1000)) == 300


def test_the_last_lines_stand_as_they_were_printed() -> None:
    assert last_lines("a\n\n  b c\n d\n\n") == "b c\n d"
    assert last_lines("1\n2\n3\n4\n") == "2\n3\n4"
    assert last_lines("\n\n") == ""


def test_of_all_stacks_the_interrupted_threads_is_read() -> None:
    text = (
        "Thread 0x01 (most recent call first):\n"
        '  File "/t/other.py", line 1 in other\n'
        "\n"
        "Current thread 0x02 [python] (most recent call first):\n"
        '  File "/t/inner file.py", line 9 in wait\n'
        '  File "/t/test.py", line 3 in test_a\n'
        "  ...\n"
    )
    assert stack_frames(text) == [("/t/test.py", 3, "test_a"), ("/t/inner file.py", 9, "wait")]
    assert stack_frames("nothing of the kind") == []
