"""A KEY=VALUE file is read as a person meant it, and never quoted in a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldenpath_loop.deploy.settings import parse_settings, read_settings
from goldenpath_loop.errors import ConfigurationError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("export KEY=value", "value"),
        ("KEY =  value  ", "value"),
        ("KEY=", ""),
        ("KEY=a=b", "a=b"),
        ("KEY=value # a comment", "value"),
        ("KEY=pass#word", "pass#word"),
        ("KEY=# only a comment", "# only a comment"),
        ('KEY="two words # kept"  # comment', "two words # kept"),
        ("KEY='raw \\n $x'", "raw \\n $x"),
        ('KEY="a\\nb \\"c\\" \\\\"', 'a\nb "c" \\'),
        ('KEY=""', ""),
        ("KEY=value\r", "value"),
    ],
)
def test_one_line_gives_one_value(line: str, value: str) -> None:
    assert parse_settings(f"# first\n\n{line}\n", name="staging.env") == {"KEY": value}


@pytest.mark.parametrize(
    "line",
    [
        "hunter22",
        "1KEY=hunter22",
        "MY KEY=hunter22",
        'KEY="hunter22',
        "KEY='hunter22' more",
        "KEY=hunter22\0",
    ],
)
def test_what_is_no_setting_is_named_by_file_and_line_without_its_value(line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(f"A=1\n{line}\n", name="staging.env")
    assert caught.value.where == "staging.env:2"
    assert "hunter22" not in str(caught.value)


def test_a_key_that_is_set_twice_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="A is set twice"):
        parse_settings("A=1\nA=2\n", name="staging.env")


def test_a_file_that_is_not_there_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file") as caught:
        read_settings(tmp_path / "staging.env")
    assert caught.value.where == str(tmp_path / "staging.env")


def test_a_file_that_is_no_text_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "staging.env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_settings(tmp_path / "staging.env")


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "staging.env").write_bytes(b"\xef\xbb\xbfA=1\n")
    assert read_settings(tmp_path / "staging.env") == {"A": "1"}
