"""Conditions and lengths of time, in the notations of Prometheus and Alertmanager."""

from __future__ import annotations

import pytest

from alertcenter.alerts.am_notation import matchers_of
from alertcenter.alerts.durations import DurationError, milliseconds, written
from alertcenter.alerts.matchers import MatcherError, parse


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        (r'path=~"\d+"', "path", r"\d+"),
        (r'path="C:\\x"', "path", "C:\\x"),
        (r'said="a\"b\nc"', "said", 'a"b\nc'),
        (r'"my label"="x"', "my label", "x"),
        (r'"a\"b"!="x"', 'a"b', "x"),
        ("host.name=x", "host.name", "x"),
        ('empty=""', "empty", ""),
    ],
)
def test_a_condition_is_read_as_alertmanager_reads_it(text, name, value):
    found = parse(text)
    assert (found.name, found.value) == (name, value)
    again = parse(str(found))
    assert (again.name, again.operator, again.value) == (name, found.operator, value)


def test_names_of_any_letters_are_judged_like_others():
    assert parse('"my label"=~"x.*"').matches({"my label": "xy"})
    assert not parse('"my label"=~"x.*"').matches({"my": "xy"})


@pytest.mark.parametrize("text", ['""="x"', '"a="x"', "my label=x", "=x"])
def test_what_has_no_name_is_no_condition(text):
    with pytest.raises(MatcherError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("0s", 0),
        ("1h30m", 5_400_000),
        ("500ms", 500),
        ("1m5ms", 60_005),
        ("1w2d", 777_600_000),
        ("1y", 31_536_000_000),
    ],
)
def test_lengths_of_time_are_read(text, expected):
    assert milliseconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "5m1h", "-5m", "5 m", "5min"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(DurationError):
        milliseconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (90, "1m30s"), (14_400, "4h"), (86_400 * 9, "9d")],
)
def test_lengths_of_time_are_written_briefly(seconds, text):
    assert written(seconds) == text
    assert milliseconds(text) == seconds * 1000


# --- the lines of alertmanager.yml ---


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('severity="critical"', ['severity="critical"']),
        ("severity=critical", ['severity="critical"']),
        (" a = b , c=~d.* ", ['a="b"', 'c=~"d.*"']),
        ('{a="b",c!="d"}', ['a="b"', 'c!="d"']),
        ('a="x,y", b=1', ['a="x,y"', 'b="1"']),
        (r'a=~"\d+"', [r'a=~"\\d+"']),
        (r"a=~\d+", [r'a=~"\\d+"']),
        ("a==b", ['a="=b"']),
        ("a=", ['a=""']),
        ("", []),
        ("{}", []),
        ('{"a b"="c"}', ['"a b"="c"']),
        ('"severity"="critical"', ['severity="critical"']),
        ('a="b",', ['a="b"']),
        ('host.name=~"web.*"', ['host.name=~"web.*"']),
        (r'"\u00e9t\u00e9"="x"', ['"été"="x"']),
        ("été=x", ['"été"="x"']),
    ],
)
def test_lines_of_both_notations_are_read(line, expected):
    assert [str(one) for one in matchers_of(line)] == expected


@pytest.mark.parametrize(
    "line",
    [
        "severity",
        'a="b',
        'a=b"c',
        'a=b c="d"',
        '{"a b"="c"',
        '"a b"="c" "d"="e"',
        '"a\nb c"=x',
        '"a b"=c!d',
        r'"\xff b"="x"',
        r'"\q"="x"',
        '""="x"',
        "a.b=c,,",
    ],
)
def test_lines_that_are_no_conditions_are_refused(line):
    with pytest.raises(MatcherError) as caught:
        matchers_of(line)
    assert caught.value.code == "notation"


def test_look_around_is_refused_with_its_reason():
    with pytest.raises(MatcherError) as caught:
        matchers_of('a=~"(?!x).*"')
    assert caught.value.code == "pattern"
