"""Conditions as people and machines write them."""

from __future__ import annotations

import time

import pytest

from alertcenter.alerts.matchers import LONGEST_PATTERN, MatcherError, parse


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('a="b"', ("a", "=", "b")),
        ('  a  !=  "b c"  ', ("a", "!=", "b c")),
        ("a=~x|y", ("a", "=~", "x|y")),
        ('a="x\n y"', ("a", "=", "x\n y")),
        ("a=", ("a", "=", "")),
        ('a="say \\"hi\\""', ("a", "=", 'say "hi"')),
    ],
)
def test_a_condition_is_read(text, told):
    found = parse(text)
    assert (found.name, found.operator, found.value) == told


@pytest.mark.parametrize("text", ["", "a", "=b", "1=b", "a=" + " " * 60_000 + "x"])
def test_what_is_none_is_refused_at_once(text):
    began = time.monotonic()
    with pytest.raises(MatcherError) as error:
        parse(text)
    assert time.monotonic() - began < 0.5
    assert len(str(error.value)) < 300


COSTLY = "|".join(f"[ab]*a[ab]{{{n}}}" for n in range(500, 560))


@pytest.mark.parametrize("pattern", [COSTLY, "(?:(?:a{0,30}){0,30}){0,30}b"])
def test_a_pattern_that_repeats_too_much_is_refused(pattern):
    with pytest.raises(MatcherError) as caught:
        parse(f'a=~"{pattern}"')
    assert caught.value.code in ("too_large", "pattern")


@pytest.mark.parametrize(
    "pattern",
    [
        "界" * LONGEST_PATTERN,
        "|".join(f"db-{n:04}.example" for n in range(60)),
        r"\pL+-[0-9]{1,3}(?:\.[0-9]{1,3}){3}",
        "(?i).*(?:lag|full|down).*",
    ],
)
def test_what_people_write_is_not_too_much(pattern):
    assert parse(f'a=~"{pattern}"').operator == "=~"
