"""In which order the hunks of a guilty commit are suspected."""

from __future__ import annotations

import re
from collections.abc import Sequence

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import ExecutedFile
from goldenpath_loop.science.localisation import standing
from goldenpath_loop.science.similarity import rank_hunks

__all__ = ["in_order"]

_DOCUMENT = re.compile(r"\.(?:md|rst|txt|adoc)$|(?:^|/)(?:LICENSE|CHANGES|CHANGELOG|README)[^/]*$")


def in_order(
    hunks: Sequence[Hunk],
    numbers: Sequence[int],
    *,
    words: Sequence[str],
    executed: Sequence[ExecutedFile] = (),
    failing: int = 0,
) -> list[int]:
    """Likeliest first: by turns what the failure goes through and what shares most of its words; documents last.

    Args:
        hunks: All hunks of the change.
        numbers: Those that count.
        words: What the failure says.
        executed: Which lines failing tests ran on the change's own revision, where that was seen.
        failing: How many failing tests were traced.
    """
    scored = rank_hunks([hunks[number] for number in numbers], list(words))
    place = {numbers[one.index]: rank for rank, one in enumerate(scored) if one.score > 0}
    by_text = sorted(numbers, key=lambda number: (place.get(number, len(numbers)), number))
    near = {number: standing(hunks[number], executed, failing=failing) for number in numbers}
    by_run = sorted(by_text, key=near.__getitem__)
    by_turns = dict.fromkeys(one for pair in zip(by_run, by_text, strict=True) for one in pair)
    return sorted(by_turns, key=lambda number: _DOCUMENT.search(hunks[number].path) is not None)
