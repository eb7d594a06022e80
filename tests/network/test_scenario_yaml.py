# ruff: noqa: E501  tables of messages
"""The YAML reader: hostile files, and what plain values mean."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.errors import InputError
from evernormal.network.yaml_reader import MAX_BYTES, Place, core_tag, read_bytes, read_yaml

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(f'*{old}' for _ in range(9))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def trouble(content: bytes | str) -> str:
    document = read_yaml(content)
    assert len(document.problems) == 1, document.problems
    return document.problems[0].text("f.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "f.yaml:2:8: the alias *a is not allowed. Write the part out."),
        ("a: &a\n  b: *a\n", "f.yaml:2:6: the alias *a is not allowed. Write the part out."),
        ("[" * 100_000, "f.yaml:1:21: is nested deeper than 20 levels"),
        ("a: " + "[x," * 50, "f.yaml:1:61: is nested deeper than 20 levels"),
        ("- 1\n" * 60_000, "f.yaml:4998:3: holds more than 5,000 values"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins. Write one scenario per file."),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1 a: the key stands twice, first on line 1. Keep one."),
        ("a:\n\tb: 1\n", "f.yaml:2:1: a tab stands where YAML needs spaces. Indent with spaces."),
        ("a: b: c\n", "f.yaml:1:5: a second ': ' on one line."),
        ("a: [1, 2\n", "f.yaml:2:1: expected ',' or ']'"),
        ("a: !!python/object/apply:os.system ['true']\n", "f.yaml:1:4 a: the tag !!python/object/apply:os.system is not"),
        ("a: !secret x\n", "f.yaml:1:4 a: the tag !secret is not allowed."),
        ("? [a, b]\n: 1\n", "f.yaml:1:3: a key must be a word."),
        (b"name: \xb1\xb9\xb0\xa1\n", "f.yaml:1:7: byte 0xb1 is not UTF-8. Save the file as UTF-8."),
        ("a: x\0y\n", "f.yaml:1:5: the character U+0000 is not allowed. Remove it."),
        ("x" * (MAX_BYTES + 1), "f.yaml: the text is larger than 256 KiB."),
        ("!" * 200_000, "f.yaml:1:1: the tag !!!"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_at_once_with_their_place(content: bytes | str, message: str) -> None:
    """Law 12."""
    begun = time.perf_counter()
    text = trouble(content)
    assert text.startswith(message)
    assert len(text) < 1000
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("~", None),
        ("", None), ("2024-01-31", "2024-01-31"), ("2024-01", "2024-01"), ("12:30:00", "12:30:00"), ("1_000", "1_000"),
        ("10", 10), ("010", 10), ("0o10", 8), ("0x10", 16), ("1e3", 1000.0), (".5", 0.5), ("-3.", -3.0), ("'1'", "1"),
        ("<<", "<<"), ("한국", "한국"), ("!!str 1", "1"),
    ],
)  # fmt: skip
def test_plain_values_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = read_yaml(f"key: {text}\n").data["key"]
    assert found == value and type(found) is type(value)


def test_every_key_and_value_has_its_place() -> None:
    document = read_yaml("a: 1\nlist:\n  - x: 2\n    y: [3, 4]\n")
    assert document.keys["list", 0, "y"] == Place(4, 5)
    assert document.values["list", 0, "y", 1] == Place(4, 12)
    assert document.place(("list", 0, "z")) == Place(3, 5)


def test_a_byte_order_mark_is_no_harm() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1\n").data == {"a": 1}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_text_breaks_the_reader(content: bytes | str) -> None:
    """Law 12: whatever comes, a document or a problem, never another exception."""
    document = read_yaml(content)
    assert all("\n" not in problem.text("f") for problem in document.problems)


@given(st.text(alphabet="0123456789abcdefxoNOntruelsy.:-+_eE~", max_size=12))
def test_the_dumper_and_the_reader_agree_on_what_is_text(text: str) -> None:
    if core_tag(text) == "str":
        assert not isinstance(read_yaml(f'a: "{text}"').data["a"], bool | int | float | None)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="is larger than 256 KiB"):
        read_bytes(path)
