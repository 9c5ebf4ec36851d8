"""A test index written for people is read as rows, with the line of everything that cannot be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.config.index import IndexRow, amount_usd, read_index

STAGING = """\
# STAGING E2E TEST INDEX

- **Total Available Tests:** 466+ test functions
- **P1 Critical Tests:** 25 tests protecting $120K+ MRR (Core platform functionality)

### Priority-Based Test Suites
Located in `tests/e2e/staging/`:

| Priority | File | Tests | Business Impact | MRR at Risk |
|----------|------|-------|-----------------|-------------|
| **P1 Critical** | `test_priority1_critical_REAL.py` | 1-25 | Core platform functionality | $120K+ |
| **P2 High** | `test_priority2_high.py` | 26-45 | Key features | $80K |

### Core Golden Path Tests
Located in `tests/e2e/staging/`:
1. **Priority 1 Critical**: `test_priority1_critical_REAL.py` (Tests 1-25, $120K+ MRR impact)
2. **WebSocket Events**: `test_1_websocket_events_staging.py` (5 tests - critical event flow)
- `test_staging_connectivity_validation.py` - Service connectivity
"""

WORKLOG = """\
### Priority 1: Critical Golden Path Tests
Focus on the tests below.

1. **`test_10_critical_path_staging.py`** - Previously 100% success (6/6)
2. **`test_1_websocket_events_staging.py`** - Previously 40% success (2/5)

### Priority 2: Agent Pipeline Validation
4. **`test_3_agent_pipeline_staging.py`** - Previously 50% success (3/6)

```bash
- `test_in_a_code_block.py`
```
## Phase 2: Core Golden Path Flow Tests (Priority 1)
1. **Message Flow**: `tests/e2e/staging/test_2_message_flow_staging.py`

## Phase 3: Full User Journey Tests
1. **Cold Start Journey**: `tests/e2e/journeys/test_cold_start_first_time_user_journey.py`
"""


def row(text: str) -> IndexRow:
    (only,) = read_index(text).rows
    return only


def test_a_priority_table_is_read_with_its_folder_ranges_and_amounts() -> None:
    index = read_index(STAGING)
    first, second, events, connectivity = index.rows
    assert first == IndexRow(
        priority=1,
        suite="priority1-critical-real",
        file="tests/e2e/staging/test_priority1_critical_REAL.py",
        tests=25,
        needs=(),
        markers="",
        value_at_risk_usd=120_000,
        line=11,
    )
    assert (second.priority, second.tests, second.value_at_risk_usd) == (2, 20, 80_000)
    assert (events.suite, events.tests, events.line) == ("websocket-events", 5, 17)
    assert connectivity.file == "tests/e2e/staging/test_staging_connectivity_validation.py"
    assert not connectivity.priority_stated
    assert index.problems == ()


def test_lists_below_priority_headings_are_read_and_code_blocks_are_not() -> None:
    assert [(r.priority, r.suite, r.priority_stated) for r in read_index(WORKLOG).rows] == [
        (1, "critical-path-staging", True),
        (1, "websocket-events-staging", True),
        (2, "agent-pipeline-staging", True),
        (1, "message-flow", True),
        (3, "cold-start-journey", False),
    ]


def test_a_table_of_results_without_files_is_a_problem_with_lines() -> None:
    text = "| Test Category | Tests Run | Passed |\n|---|---|---|\n| **Infrastructure Health** | 1 | 1 |\n"
    index = read_index(text)
    assert index.rows == ()
    assert [(problem.line, problem.message) for problem in index.problems] == [
        (3, "the row names no test file")
    ]


@pytest.mark.parametrize(
    "header",
    [
        "MRR at Risk",
        "Value at risk",
        "value_at_risk",
        "Business impact",
        "Revenue",
        "$ MRR",
        "Value at risk (USD)",
        "Impact",
    ],
)
def test_the_value_column_goes_by_many_names(header: str) -> None:
    assert row(f"| File | {header} |\n|--|--|\n| test_a.py | $120K+ MRR |\n").value_at_risk_usd == 120_000


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$120,000", 120_000),
        ("$120K+", 120_000),
        ("120k", 120_000),
        ("$0.5M", 500_000),
        ("$2 million", 2_000_000),
        ("$80K MRR", 80_000),
        ("120000", 120_000),
        ("$1.2M ARR", 100_000),
        ("none", 0),
    ],
)
def test_amounts_are_dollars_a_month(text: str, amount: float) -> None:
    assert row(f"| File | Value |\n|--|--|\n| test_a.py | {text} |\n").value_at_risk_usd == pytest.approx(
        amount
    )


@pytest.mark.parametrize(
    ("text", "amount"), [("25 tests", 0), ("$5", 5), ("120k MRR", 120_000), ("84% of 3m", 0)]
)
def test_in_running_text_a_number_alone_is_no_amount(text: str, amount: float) -> None:
    assert amount_usd(text) == amount


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("P1", 1),
        ("**P2 High**", 2),
        ("Priority 4", 4),
        ("6", 6),
        ("P0", 1),
        ("Critical", 1),
        ("high", 2),
        ("Medium-High", 3),
        ("Medium", 4),
        ("Low", 6),
    ],
)
def test_priorities_are_numbers_or_words(text: str, priority: int) -> None:
    assert row(f"| File | Priority |\n|--|--|\n| test_a.py | {text} |\n").priority == priority


def test_needs_markers_and_links_are_read() -> None:
    text = (
        "Suite | File | Needs | Markers | Tests\n:--|:-:|--|--|--:\n"
        "Chat \\| edge | [chat](tests/e2e/test_chat.py) | auth, `backend` and edge | `@smoke`, slow | 8\n"
    )
    found = row(text)
    assert found.needs == ("auth", "backend", "edge")
    assert (found.markers, found.tests, found.suite) == ("smoke and slow", 8, "chat-edge")
    assert found.file == "tests/e2e/test_chat.py"


def test_rows_that_cannot_be_used_are_named_and_the_others_kept() -> None:
    text = (
        "| Priority | File |\n|--|--|\n| P1 | test_a.py |\n| P2 | see wiki |\n| P3 | `test_b_*.py` |\n"
        "| urgent | test_c.py |\n| - | - |\n| P2 | tests/e2e/journeys/ |\n"
    )
    index = read_index(text)
    assert [(r.file, r.priority) for r in index.rows] == [
        ("test_a.py", 1),
        ("test_c.py", 3),
        ("tests/e2e/journeys/", 2),
    ]
    assert [(problem.line, problem.message) for problem in index.problems] == [
        (4, "the row names no test file"),
        (5, "`test_b_*.py` is a pattern; name the files"),
        (6, "`urgent` is no priority; P1 to P6 are"),
    ]


def test_two_suites_of_one_name_get_different_names() -> None:
    text = "| Suite | File |\n|--|--|\n| a | test_x.py |\n| a | test_y.py |\n"
    assert [r.suite for r in read_index(text).rows] == ["a", "a-2"]


@given(st.text(alphabet="|-: \n#*`Ptest_a.py$1kFileSuite<!~", max_size=200))
def test_any_text_is_read_and_every_line_number_lies_in_it(text: str) -> None:
    index = read_index(text)
    lines = text.count("\n") + 1
    numbers = [found.line for found in index.rows] + [problem.line for problem in index.problems]
    assert all(1 <= number <= lines for number in numbers)
    assert all(1 <= found.priority <= 6 and found.file and found.suite for found in index.rows)
    assert len({found.suite for found in index.rows}) == len(index.rows)
