"""Rank the hunks of a guilty commit by how much they speak of the failure, each with a line to cite."""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.records.history import Hunk

__all__ = ["ScoredHunk", "rank_hunks"]

Side = Literal["added", "removed", ""]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAME = r"([A-Za-z_][\w.:-]{1,80})"
_QUOTED = re.compile(rf"""(['"`]){_NAME}\1""")
_DEFINED = re.compile(r"^\s*(?:(?:async\s+)?def|class|function|const|let|var)\s+(\w+)|^\s*(\w+)\s*[:=](?!=)")

_ACCUSED = re.compile(
    r"""(?:Error:?|[Kk]ey|attribute|field|name|argument|property|[Mm]issing|assert)[:\s]\s*"""
    rf"""(['"`]){_NAME}\1"""
    rf"""|(['"`]){_NAME}\3\s+(?:not\ in|is\ missing|is\ not|missing|required)\b"""
)
"""A name that the failure complains of, not one that only stands in the data it prints."""

_IDLE = frozenset(word.lower() for word in keyword.kwlist) | {
    "self", "cls", "the", "this", "that", "was", "were", "are", "has", "had", "not", "but", "you", "got",
    "error", "exception", "assertion", "expected", "actual", "test", "tests", "str", "int", "dict", "list",
}  # fmt: skip
"""Words that any failure and any code have, whatever the commit is about."""

_DOCUMENT_WEIGHT = 0.1
_DOCUMENT = re.compile(
    r"(?:^|/)docs?/|\.(?:md|rst|adoc)$|(?:^|/)(?:LICENSE|CHANGELOG|README)[^/]*$|\.lock$|(?:^|/)package-lock\.json$"
)
_DATA = re.compile(
    r"\.(?:ya?ml|json|toml|ini|cfg|conf|env|sql|csv|tsv|txt|xml|svg|html|css|properties)$|(?:^|/)\.env"
)


@dataclass(frozen=True, slots=True)
class ScoredHunk:
    """A hunk, how strongly it speaks of the failure, and the line of it that says so."""

    index: int
    """Position among the hunks that were given."""
    hunk: Hunk
    score: float
    """0 when nothing is shared; from 1 on it takes a name away that the failure quotes, from 2 on misses."""
    line: str
    """The line to cite, verbatim, without its `+` or `-`; empty when the hunk has no text."""
    side: Side
    matched: tuple[str, ...]
    """Words the hunk shares with the failure, the rarest first."""

    @property
    def added(self) -> bool:
        """Whether the line to cite was added; otherwise it was removed."""
        return self.side == "added"


def _words(text: str) -> Counter[str]:
    """Identifiers and their parts, lower-case: `toolName` gives `toolname`, `tool`, `name`."""
    found: Counter[str] = Counter()
    for identifier in _IDENTIFIER.findall(text):
        parts = [part.lower() for part in _PART.findall(identifier)]
        whole = "".join(parts)
        names = {whole, *parts} if len(parts) > 1 else {whole}
        found.update(name for name in names if len(name) > 2 and name not in _IDLE and not name.isdigit())
    return found


def _names(lines: Iterable[str]) -> frozenset[str]:
    """Keys in quotes, and names that a line defines."""
    found = set()
    for line in lines:
        found |= {match[2] for match in _QUOTED.finditer(line)}
        if (defined := _DEFINED.match(line)) is not None:
            found.add(defined[1] or defined[2])
    return frozenset(found)


def _weight(path: str) -> float:
    """How far the kind of file can be the cause of a failing test."""
    if _DOCUMENT.search(path):
        return _DOCUMENT_WEIGHT
    return 0.4 if _DATA.search(path) else 1.0


def _rarity(documents: Sequence[Counter[str]]) -> dict[str, float]:
    """Inverse document frequency of every word: a word of every hunk tells nothing about any of them."""
    spread = Counter(word for words in documents for word in words)
    return {word: math.log((len(documents) + 1) / count) for word, count in spread.items()}


def _best_line(hunk: Hunk, wanted: Mapping[str, float], missing: frozenset[str]) -> tuple[str, Side]:
    """The line that shares most with the failure, removed before added; if none does, the first with text."""
    best: tuple[float, str, Side] = (-1.0, "", "")
    sides: tuple[tuple[Side, tuple[str, ...]], ...] = (("removed", hunk.removed), ("added", hunk.added))
    for side, lines in sides:
        for line in lines:
            if not line.strip():
                continue
            worth = sum(wanted.get(word, 0.0) for word in _words(line))
            if side == "removed" and missing & _names([line]):
                worth += 1000.0
            if worth > best[0]:
                best = (worth, line, side)
    return best[1], best[2]


def rank_hunks(hunks: Sequence[Hunk], texts: Sequence[str]) -> tuple[ScoredHunk, ...]:
    """Order `hunks` by how much they speak of what the failure says.

    Words are identifiers and their parts; a word weighs more the fewer hunks have it. Removed and added lines
    count alike, the path and the function in the header a little. A hunk that takes away a quoted key or a
    definition which the failure complains of (`KeyError: 'tool_name'`), or only quotes, comes before all that
    do not. Data files weigh less than source, documents least. This is a prior for what to try first, never a
    verdict.

    Args:
        hunks: Hunks of one commit.
        texts: What the failure and the probes said: messages, frames, answers.
    """
    said = Counter[str]()
    for text in texts:
        said.update(_words(text).keys())
    quoted = frozenset(match[2] for text in texts for match in _QUOTED.finditer(text))

    accused = frozenset(match[2] or match[4] for text in texts for match in _ACCUSED.finditer(text))
    accused |= {text.strip()[1:-1] for text in texts if _QUOTED.fullmatch(text.strip())}

    bodies = [_words("\n".join((*hunk.removed, *hunk.added))) for hunk in hunks]
    places = [_words(f"{hunk.path} {hunk.header.rpartition('@@')[2]}") for hunk in hunks]
    rarity = _rarity([body + place for body, place in zip(bodies, places, strict=True)])
    # What several texts repeat is more to the point than what one mentions.
    wanted = {word: rare * (1.0 + math.log(said[word])) for word, rare in rarity.items() if word in said}

    scored = []
    for index, (hunk, body, place) in enumerate(zip(hunks, bodies, places, strict=True)):
        shared = sum(wanted.get(word, 0.0) for word in body)
        shared += 0.5 * sum(wanted.get(word, 0.0) for word in place if word not in body)
        # A long hunk shares a few words with anything.
        likeness = shared / (1.0 + math.log1p(len(body) / 20))
        weight = _weight(hunk.path)
        score = weight * likeness / (1.0 + likeness)
        missing = (_names(hunk.removed) - _names(hunk.added)) & quoted
        if missing and weight > _DOCUMENT_WEIGHT:
            known = sum(rarity.get(_joined(name), 0.0) for name in missing)
            score = (2.0 if missing & accused else 1.0) + weight * known / (1.0 + known)
        line, side = _best_line(hunk, wanted, missing)
        matched = sorted((w for w in body + place if w in wanted), key=lambda word: (-wanted[word], word))
        scored.append(ScoredHunk(index, hunk, score, line, side, tuple(matched)))
    return tuple(sorted(scored, key=lambda found: (-found.score, -_weight(found.hunk.path), found.index)))


def _joined(name: str) -> str:
    return "".join(part.lower() for part in _PART.findall(name))
