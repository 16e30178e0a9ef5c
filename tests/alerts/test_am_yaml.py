"""YAML of strangers: read as Go reads it, bounded, refused with a line."""

from __future__ import annotations

import time

import pytest

from alertcenter.alerts.am_yaml import LARGEST, YamlError, read, spelled


def test_scalars_stay_texts():
    said = read(b"a: 09:00\nb: 17:00\nc: on\nd: 2026-01-01\ne: 1:3\nf: 5\n").value
    assert said == {
        "a": "09:00",
        "b": "17:00",
        "c": "on",
        "d": "2026-01-01",
        "e": "1:3",
        "f": "5",
    }


def test_nothing_is_none_and_a_quoted_nothing_is_a_text():
    assert read(b"a:\nb: ~\nc: ''\nd: 'null'\n").value == {
        "a": None,
        "b": None,
        "c": "",
        "d": "null",
    }


def test_aliases_and_merges_are_resolved():
    said = read(b"a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\n").value
    assert said["b"] == {"k": "1", "l": "2"}
    assert said["c"] == {"k": "3", "l": "2"}


def test_lines_are_known_by_path():
    document = read(b"a:\n- b: 1\n- b: 2\n  c: 3\n")
    path = ("a", 1, "c")
    assert document.line(path) == 4
    assert spelled(path) == "a[1].c"
    assert document.line(("a", 1, "nowhere")) == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"a: [1", "Line [12]: "),
        (b"a: 1\na: 2\n", "Line 2: a is there twice"),
        (b"a: 1\n---\nb: 2\n", "second document"),
        (b"a: &x [*x]\n", "contains itself"),
        (b"a: *x\n", "there is no anchor x"),
        (b"a: !!python/object:os.system x\n", "tags"),
        (b"a: !own x\n", "tags"),
        (b"? [1, 2]\n: x\n", "a name must be a text"),
        (b"a:\n  <<: text\n", "only mappings"),
        ("a: \xe9".encode("latin-1"), "UTF-8"),
        ("a: b".encode("utf-16"), "UTF-8"),
        (b"a: \x00\n", "Line 1"),
        (b"x" * (LARGEST + 1), "1 MB"),
        (b"[" * 200_000, "nested too deeply"),
        (b"- " * 400_000, "nested too deeply"),
        (b"{a: " * 200_000, "nested too deeply"),
        (b"[" + b"1," * 400_000 + b"1]", "too many values"),
        (b"%YAML 3.0\n---\na\n", "Line 1"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence_and_soon(body, words):
    began = time.monotonic()
    with pytest.raises(YamlError, match="(?i)" + words):
        read(body)
    assert time.monotonic() - began < 5


def test_a_bomb_of_aliases_is_counted_and_not_exploded():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 30):
        inner = ", ".join([f"*a{n - 1}"] * 10)
        lines.append(f"a{n}: &a{n} [{inner}]")
    began = time.monotonic()
    with pytest.raises(YamlError, match="aliases amount to too many"):
        read("\n".join(lines).encode())
    assert time.monotonic() - began < 1


def test_a_deep_chain_of_aliases_is_refused():
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 120)]
    with pytest.raises(YamlError, match="nested too deeply"):
        read("\n".join(lines).encode())
