"""Everything wrong with a configuration, said at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from goldenpath_loop.errors import ConfigurationError

__all__ = ["Problem", "UnusableConfigurationError", "nearest"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    where: str
    """File, line and key: `goldenpath.toml:12: services.auth.prot`."""
    message: str
    advice: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}"
        return f"{text} ({self.advice})" if self.advice else text


class UnusableConfigurationError(ConfigurationError):
    """The configuration has one or more problems.

    The first is the headline; the advice goes on with the others, one a line.

    Args:
        problems: At least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *others = problems
        lines = [first.advice] if first.advice else []
        lines += [str(problem) for problem in others]
        super().__init__(first.message, where=first.where, advice="\n  ".join(lines))
        self.problems = tuple(problems)


def nearest(name: str, valid: Iterable[str]) -> str:
    """Advice on which of `valid` was probably meant by `name`."""
    names = sorted(valid)
    if not names:
        return ""
    folded = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{folded[close[0]]}`?"
    return "known: " + ", ".join(f"`{candidate}`" for candidate in names)
