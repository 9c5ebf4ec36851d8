"""Small words that reasons, verdicts and pull requests share."""

from __future__ import annotations

import re
from collections.abc import Sized

from goldenpath_loop.records.receipts import PullRequestReceipt

__all__ = ["code", "counted", "pull_request_words"]


def counted(things: Sized | int, noun: str) -> str:
    """`1 test`, `2 tests`."""
    number = things if isinstance(things, int) else len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def code(text: str) -> str:
    """`text` as one Markdown code span, also when it has backticks or line ends of its own."""
    flat = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    pad = " " if flat[:1] == "`" or flat[-1:] == "`" else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def pull_request_words(receipt: PullRequestReceipt) -> str:
    """Where a pull request is, and what is to be known about it: `runs/x/pull_request.md (draft)`."""
    draft = " (draft)" if receipt.draft else ""
    if receipt.opened_by:
        return f"already opened by {receipt.opened_by}: {receipt.address}{draft}"
    unasked = f"; other runs could not be asked whether they opened it too: {receipt.problem}"
    return f"{receipt.address}{draft}{unasked if receipt.problem else ''}"
