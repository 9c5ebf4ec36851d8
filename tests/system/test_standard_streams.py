"""What is said to whoever watches: never waited for, never fatal, and not lost while somebody is there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from typing import TextIO

import pytest

from goldenpath_loop.system.standard_streams import ViewStream, say_last


def _pipe() -> tuple[int, TextIO]:
    read, write = os.pipe()
    return read, os.fdopen(write, "w", encoding="utf-8")


def _read_all(number: int) -> bytes:
    with os.fdopen(number, "rb") as file:
        return file.read()


def test_everything_is_written_in_its_order() -> None:
    """Leaving the block waits for it."""
    read, target = _pipe()
    with target, ViewStream(target) as view:
        for number in range(1000):
            view.write(f"line {number} ü\n")
    assert _read_all(read).decode().splitlines() == [f"line {number} ü" for number in range(1000)]


def test_what_was_printed_before_comes_before() -> None:
    """Also when it still lay in the target's own buffer."""
    read, target = _pipe()
    with target:
        target.write("first\n")
        with ViewStream(target) as view:
            view.write("second\n")
    assert _read_all(read) == b"first\nsecond\n"


def test_a_reader_who_is_gone_is_no_error() -> None:
    """Not when writing, not when leaving, and not when the target is closed."""
    read, target = _pipe()
    os.close(read)
    target.write("left in the buffer")
    with target, ViewStream(target) as view:
        for _ in range(100):
            assert view.write("nobody reads this\n") == 18
        view.flush()


def test_a_reader_who_does_not_read_holds_nobody_up() -> None:
    """He gets what there was when he does, and a word about what was too much."""
    read, target = _pipe()
    line = "x" * 999 + "\n"
    found: list[bytes] = []
    with target:
        with ViewStream(target) as view:
            for _ in range(3000):
                view.write(line)
            reader = threading.Thread(target=lambda: found.append(_read_all(read)))
            reader.start()
            # A word about the gap comes with the first line after it.
            while view.is_behind:
                time.sleep(0.01)
            view.write("the end\n")
        target.close()
        reader.join()
    lines = found[0].decode().splitlines()
    assert lines[-1] == "the end"
    left_out = int(lines[-2].split()[0].removeprefix("["))
    assert lines[-2] == f"[{left_out} lines left out: nobody took them]"
    assert len(lines) - 2 + left_out == 3000


@pytest.mark.parametrize("target", [None, io.StringIO()])
def test_a_target_need_be_no_file(target: io.StringIO | None) -> None:
    """Nor be there at all."""
    with ViewStream(target) as view:
        view.write("said")
        assert not view.isatty()
        with pytest.raises(io.UnsupportedOperation):
            view.fileno()
    assert target is None or target.getvalue() == "said"


def test_last_words_may_be_lost() -> None:
    """Nobody there, or a stream that is closed: the exit code is left."""
    say_last(None, "nothing")
    read, target = _pipe()
    os.close(read)
    say_last(target, "nothing")
    target.close()
    say_last(target, "nothing")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_keeps_its_place(closed: str) -> None:
    """What is opened next gets a number of its own."""
    code = (
        "import os\n"
        "from goldenpath_loop.system.standard_streams import keep_places\n"
        "keep_places()\n"
        "raise SystemExit(os.open(os.devnull, os.O_RDONLY) > 2)"
    )
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", code], check=False)
    assert done.returncode == 1
