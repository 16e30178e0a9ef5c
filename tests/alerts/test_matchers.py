"""Conditions as people and machines write them."""

from __future__ import annotations

import time

import pytest

from alertcenter.alerts.matchers import MatcherError, parse


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
