"""A test index written for people, in Markdown, read as rows a machine can plan with.

Two shapes are understood: tables whose header names some of priority, suite, file, tests, needs, markers and
value at risk, and lists of test files below a heading that names a priority.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from goldenpath_loop.config.markdown import Heading, Item, Line, Table, blocks, plain

__all__ = ["DEFAULT_PRIORITY", "EXPECTED", "Index", "IndexProblem", "IndexRow", "amount_usd", "read_index"]

DEFAULT_PRIORITY = 3
EXPECTED = (
    "a table with the columns Priority, Suite, File, Tests, Needs, Markers, Value at risk (File at least), "
    "or lists of test files below headings such as `### Priority 1: Critical`"
)


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One suite of the index."""

    priority: int
    suite: str
    """Name for the suite, unique in the index: lower-case words joined by `-`."""
    file: str
    """As written, with the folder named above the table or list when the file was written without one."""
    tests: int
    """How many tests the index says there are; 0 when it does not say."""
    needs: tuple[str, ...]
    markers: str
    value_at_risk_usd: float
    """A month."""
    line: int
    priority_stated: bool = True
    """False when the index gives no priority and the default was taken."""


@dataclass(frozen=True, slots=True)
class IndexProblem:
    """A place of the index that looks like a suite and cannot be used."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Index:
    """What could be read, and what could not."""

    rows: tuple[IndexRow, ...]
    problems: tuple[IndexProblem, ...]


_COLUMNS: Mapping[str, re.Pattern[str]] = {
    "file": re.compile(r"(test )?(files?|paths?|modules?|locations?|file names?|filenames?)"),
    "priority": re.compile(r"priority|prio|level|severity|p"),
    "value": re.compile(r".*\b(mrr|arr|at risk|revenue)\b.*|value|(business|revenue) (value|impact)|impact"),
    "tests": re.compile(
        r"(#|no\.?|number of|total|test)? ?tests?( count| run| functions?)?|count|test count"
    ),
    "needs": re.compile(
        r"needs|requires|required services|services?|depends on|dependenc(y|ies)|prerequisites?"
    ),
    "markers": re.compile(r"(pytest )?(markers?|marks?)"),
    "suite": re.compile(r"(test )?(suite|category|area|name|group)( name)?"),
}
_WORDS = (
    ("medium-high", 3),
    ("medium high", 3),
    ("medium-low", 5),
    ("medium low", 5),
    ("critical", 1),
    ("high", 2),
    ("medium", 4),
    ("low", 6),
)
_PRIORITY = re.compile(r"\b(?:priority[\s:#-]*|prio[\s:#-]*|p)([0-6])\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(\$)?\s*(\d[\d,]*(?:\.\d+)?)\s*([km]\b|[km](?=\+)|thousand\b|million\b)?", re.IGNORECASE
)
_FILE = re.compile(r"[\w./*?\[\]-]+\.py\b(?:::[\w.\[\]:-]+)?")
_FOLDER = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/)`")
_COUNT = re.compile(r"(\d+)\s*\+?\s*tests?\b", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*(?:-|\u2013|to)\s*(\d+)")
_NOTHING = {"", "-", "\u2013", "\u2014", "none", "n/a", "no"}


def read_index(text: str) -> Index:
    """Every suite that `text` names, first mention first.

    A file named again adds only what its first mention left open.
    """
    reader = _Reader()
    for block in blocks(text):
        match block:
            case Heading():
                reader.heading(block)
            case Line():
                reader.line(block)
            case Table():
                reader.table(block)
            case Item():
                reader.item(block)
    return Index(_named(list(reader.rows.values())), tuple(reader.problems))


def amount_usd(text: str, *, bare: bool = False) -> float:
    """Dollars a month that `text` speaks of: `$120K+ MRR`, `$0.5M`; 0 when it speaks of none.

    Yearly revenue (ARR, a year) counts a twelfth.

    Args:
        text: Part of the index.
        bare: Whether a number without `$`, k or M is an amount too.
    """
    bare = bare or re.search(r"\b(MRR|ARR)\b", text) is not None
    for dollar, digits, unit in _AMOUNT.findall(text):
        if not (dollar or bare):
            continue
        factor = {"k": 1e3, "t": 1e3, "m": 1e6}.get(unit[:1].lower(), 1.0)
        yearly = re.search(r"\bARR\b|\b(a|per) year\b|/\s*year", text, re.IGNORECASE)
        return float(digits.replace(",", "")) * factor / (12 if yearly else 1)
    return 0.0


class _Reader:
    def __init__(self) -> None:
        self.rows: dict[str, IndexRow] = {}
        self.problems: list[IndexProblem] = []
        self._priorities: list[tuple[int, int]] = []
        self._folder = ""

    def heading(self, heading: Heading) -> None:
        text = plain(heading.text)
        self._priorities = [(level, number) for level, number in self._priorities if level < heading.level]
        number = _priority(text, words=False)
        if number is not None:
            self._priorities.append((heading.level, number))
        folder = _FOLDER.search(heading.text)
        self._folder = folder[1] if folder else ""

    def line(self, line: Line) -> None:
        folders = _FOLDER.findall(line.text)
        if len(folders) == 1:
            self._folder = folders[0]

    def item(self, item: Item) -> None:
        files = _FILE.findall(item.text)
        if not files:
            return
        text = plain(item.text)
        bold = re.match(r"\*\*(.+?)\*\*", item.text)
        name = plain(bold[1]) if bold and not _FILE.search(bold[1]) else ""
        ranged = re.search(r"\btests?\s+(\d+\s*(?:-|\u2013)\s*\d+)", text, re.IGNORECASE)
        counted = _COUNT.search(text)
        for file in files:
            self._add(
                line=item.line,
                file=file,
                priority=_priority(_FILE.sub("", text), words=False),
                suite=name if len(files) == 1 else "",
                tests=_count(ranged[1]) if ranged else int(counted[1]) if counted else 0,
                value=amount_usd(_FILE.sub("", text)),
            )

    def table(self, table: Table) -> None:
        columns = _columns(table.header)
        if len(columns) < 2 or not ({"file", "suite", "priority"} & set(columns)):
            return
        for line, cells in table.rows:
            cell = {column: cells[at] if at < len(cells) else "" for column, at in columns.items()}
            self._row(line, cell, cells, yearly=_is_yearly(table.header, columns))

    def _row(self, line: int, cell: Mapping[str, str], cells: Sequence[str], *, yearly: bool) -> None:
        if all(plain(text).lower() in _NOTHING for text in cells):
            return
        where = cell["file"] if "file" in cell else " ".join(cells)
        files = _FILE.findall(where) or (_folders(where) if "file" in cell else [])
        if not files:
            self.problems.append(IndexProblem(line, "the row names no test file"))
            return
        stated = plain(cell.get("priority", ""))
        priority = _priority(stated, words=True)
        if stated and priority is None:
            self.problems.append(IndexProblem(line, f"`{stated}` is no priority; P1 to P6 are"))
        value = amount_usd(plain(cell.get("value", "")), bare="value" in cell)
        for file in files:
            self._add(
                line=line,
                file=file,
                priority=priority
                if priority is not None
                else _priority(plain(cell.get("suite", "")), words=False),
                suite=_FILE.sub("", plain(cell.get("suite", ""))).strip() if len(files) == 1 else "",
                tests=_count(plain(cell.get("tests", ""))),
                needs=_names(cell.get("needs", "")),
                markers=_markers(cell.get("markers", "")),
                value=value / (12 if yearly else 1) / len(files),
            )

    def _add(
        self,
        *,
        line: int,
        file: str,
        priority: int | None,
        suite: str,
        tests: int = 0,
        needs: tuple[str, ...] = (),
        markers: str = "",
        value: float = 0.0,
    ) -> None:
        if "*" in file or "?" in file:
            self.problems.append(IndexProblem(line, f"`{file}` is a pattern; name the files"))
            return
        if "/" not in file:
            file = self._folder + file
        stated = priority if priority is not None else (self._priorities[-1][1] if self._priorities else None)
        row = IndexRow(
            priority=stated or DEFAULT_PRIORITY,
            suite=_slug(suite) or _slug_of_file(file),
            file=file,
            tests=tests,
            needs=needs,
            markers=markers,
            value_at_risk_usd=value,
            line=line,
            priority_stated=stated is not None,
        )
        known = next((key for key in self.rows if _same_file(key, file)), None)
        if known is None:
            self.rows[file] = row
        else:
            self.rows[known] = _completed(self.rows[known], row)


def _columns(header: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    titles = [plain(title).lower().replace("_", " ").strip(" :") for title in header]
    for column, pattern in _COLUMNS.items():
        found = [
            at for at, title in enumerate(titles) if pattern.fullmatch(title) and at not in columns.values()
        ]
        if not found:
            continue
        # Beside "MRR at risk" a column "Business impact" holds words; the more exact title wins.
        exact = [at for at in found if re.search(r"mrr|arr|at risk|revenue", titles[at])]
        columns[column] = exact[0] if column == "value" and exact else found[0]
    return columns


def _is_yearly(header: Sequence[str], columns: Mapping[str, int]) -> bool:
    return "value" in columns and re.search(r"\bARR\b", header[columns["value"]], re.IGNORECASE) is not None


def _priority(text: str, *, words: bool) -> int | None:
    """1 to 6; P0 counts as 1. With `words`, also a bare number and `Critical` to `Low`."""
    found = _PRIORITY.search(text)
    if found:
        return max(1, int(found[1]))
    if not words:
        return None
    if re.fullmatch(r"[0-6]", text):
        return max(1, int(text))
    lowered = text.lower()
    return next((number for word, number in _WORDS if word in lowered), None)


def _count(text: str) -> int:
    ranged = _RANGE.search(text)
    if ranged and int(ranged[2]) >= int(ranged[1]):
        return int(ranged[2]) - int(ranged[1]) + 1
    number = re.search(r"\d+", text)
    return int(number[0]) if number else 0


def _names(text: str) -> tuple[str, ...]:
    names = (name.strip(" .") for name in re.split(r"[,;/+&]|\band\b|<br\s*/?>", plain(text)))
    return tuple(dict.fromkeys(name for name in names if name.lower() not in _NOTHING))


def _markers(text: str) -> str:
    text = plain(text).replace("@pytest.mark.", "").replace("@", "")
    if text.lower() in _NOTHING:
        return ""
    return " and ".join(part.strip() for part in text.split(",") if part.strip())


def _folders(text: str) -> list[str]:
    return [word for word in plain(text).split() if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/", word)]


def _same_file(one: str, other: str) -> bool:
    """Whether two mentions mean one file: equal, or one written without its folder."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _completed(first: IndexRow, again: IndexRow) -> IndexRow:
    takes_priority = again.priority_stated and not first.priority_stated
    return replace(
        first,
        priority=again.priority if takes_priority else first.priority,
        priority_stated=first.priority_stated or again.priority_stated,
        file=max(first.file, again.file, key=len),
        tests=first.tests or again.tests,
        needs=first.needs or again.needs,
        markers=first.markers or again.markers,
        value_at_risk_usd=first.value_at_risk_usd or again.value_at_risk_usd,
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _slug_of_file(file: str) -> str:
    stem = file.split("::")[0].rstrip("/").rsplit("/", 1)[-1].removesuffix(".py")
    stem = re.sub(r"^test_|_test$", "", stem, flags=re.IGNORECASE)
    return _slug(re.sub(r"^\d+_", "", stem)) or "suite"


def _named(rows: list[IndexRow]) -> tuple[IndexRow, ...]:
    taken: set[str] = set()
    result: list[IndexRow] = []
    for row in rows:
        name, number = row.suite, 2
        while name in taken:
            name, number = f"{row.suite}-{number}", number + 1
        taken.add(name)
        result.append(replace(row, suite=name))
    return tuple(result)
