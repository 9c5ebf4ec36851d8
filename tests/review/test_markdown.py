"""Text from outside stays text, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from goldenpath_loop.review.markdown import block, cell_code, code, link, prose
from goldenpath_loop.system.plain import plain, plain_line

_ANY = st.text(max_size=60)
_SIGNS = st.text(alphabet="`|\\*_[]<>&#~$!-+=.)1ab; \n", max_size=30)


def _parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def _cells(markdown: str) -> list[Token]:
    tokens = _parsed(f"| a | b |\n|---|---|\n| {markdown} | last |\n")
    start = next(number for number, token in enumerate(tokens) if token.type == "tbody_open")
    return [token for token in tokens[start:] if token.type == "inline"]


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))


@given(_ANY | _SIGNS)
@example("a\\|b")
@example("`a|b`")
@example("`` ` ``")
def test_prose_is_one_cell_of_a_table_and_says_the_same(text: str) -> None:
    """No bar ends the cell, nothing becomes markup, no sign is lost but the backticks of a quotation."""
    cells = _cells(prose(text))
    assert len(cells) == 2
    said = " ".join(plain(text, max_chars=600).split())
    assert _words(cells[0]).replace("`", "").strip() == said.replace("`", "").strip()
    kinds = {child.type for child in cells[0].children or ()}
    assert kinds <= {"text", "text_special", "code_inline"}


@given(_ANY | _SIGNS)
@example("`")
@example("a``b`")
@example("x|y")
def test_code_in_a_table_is_one_cell_and_says_the_same(text: str) -> None:
    """A test id with bars and backticks stays one code span."""
    cells = _cells(cell_code(text))
    assert len(cells) == 2
    line = plain_line(text, max_chars=600)
    if line.strip():
        assert [child.type for child in cells[0].children or ()] == ["code_inline"]
        assert _words(cells[0]) == line


@given(_ANY | _SIGNS)
def test_code_in_a_sentence_is_one_span(text: str) -> None:
    """Outside of a table no bar is escaped."""
    tokens = _parsed(f"x {code(text)} y")
    spans = [child for child in tokens[1].children or () if child.type == "code_inline"]
    line = plain_line(text, max_chars=600)
    assert [one.content for one in spans] == ([line] if line.strip() else [])


@given(_ANY | _SIGNS)
def test_prose_at_the_start_of_a_line_is_a_paragraph(text: str) -> None:
    """No heading, list, quotation or rule comes out of text."""
    tokens = _parsed(prose(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}


@given(_ANY | _SIGNS)
def test_a_block_holds_everything_in_one_fence(text: str) -> None:
    """A fence within the text does not end the block."""
    tokens = _parsed(f"{block(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_a_block_says_how_much_it_leaves_out() -> None:
    """Long output is cut, and the cut is said."""
    shown = block("\n".join(f"line {number}" for number in range(40)), max_lines=3)
    assert "line 2" in shown
    assert "line 3" not in shown
    assert "[... 37 more lines]" in shown


@pytest.mark.parametrize(
    ("target", "is_link"),
    [
        ("pull_request.md", True),
        ("https://forge.example/pull/7", True),
        ("javascript:alert(1)", False),
        ("../../etc/passwd", False),
        ("a b", False),
        ("https://x.example/)[y](z", False),
    ],
)
def test_only_plain_addresses_become_links(target: str, is_link: bool) -> None:
    """An address is from outside as well."""
    children = _parsed(link(target, target))[1].children or []
    assert any(child.type == "link_open" for child in children) is is_link
