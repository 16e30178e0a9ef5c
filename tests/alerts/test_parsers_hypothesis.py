"""Can any body make a parser fail otherwise than by saying what is wrong?"""

from __future__ import annotations

import json
import string
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertcenter.alerts.events import MOST_LABELS, BadBody, Event, Parsed
from alertcenter.alerts.repeats import Repeats
from alertcenter.alerts.rows import CLOCK, as_payload, prepare
from alertcenter.alerts.rules import Rules
from alertcenter.alerts.sources import alertmanager_v2, alertmanager_webhook, own_json
from alertcenter.alerts.waiting import Job

PARSERS = [alertmanager_v2.parse, alertmanager_webhook.parse, own_json.parse]
TENANT = UUID(int=1)
pytestmark = pytest.mark.timeout(120)
often = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

# Replaced in the text by a number of 5,000 digits, which Python would not print.
LONG_NUMBER = 123_456_789_123_456_789
words = st.text(max_size=30) | st.sampled_from(["", "alertname", "severity", "\0", "é"])
numbers = st.integers() | st.floats() | st.sampled_from([LONG_NUMBER, -1, 1e308])
moments = st.sampled_from(
    [
        "2026-11-20T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "99999-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999+14:00",
        "1969-12-31T23:59:59-23:59",
        "2026-02-30T00:00:00Z",
        "yesterday",
        "",
    ]
)
scalars = st.none() | st.booleans() | numbers | words | moments
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4)
    ),
    max_leaves=12,
)
labels = st.dictionaries(words, words, max_size=6) | anything
items = st.fixed_dictionaries(
    {},
    optional={
        "labels": labels,
        "annotations": labels,
        "startsAt": moments | anything,
        "endsAt": moments | anything,
        "generatorURL": words | anything,
        "status": st.sampled_from(["firing", "resolved"]) | anything,
        "title": words | anything,
        "key": words | anything,
        "severity": words | anything,
        "starts_at": moments | anything,
        "ends_at": moments | anything,
        "expires_in": numbers | anything,
        "link": words | anything,
    },
)
bodies = (
    st.lists(items | anything, max_size=5)
    | st.fixed_dictionaries({"alerts": st.lists(items | anything, max_size=5)})
    | anything
)


almost_json = st.text(alphabet='[]{}",:\\u0dD1-eE.', max_size=60)


def dumped(value: Any) -> bytes:
    """JSON as careless programs write it: NaN, lone surrogates, long numbers."""
    text = json.dumps(value).replace(str(LONG_NUMBER), "9" * 5_000)
    return text.encode("utf-8", "surrogatepass")


def check(parsed: Parsed) -> None:
    """Every item is an event or an error, and every event can be stored."""
    assert len(parsed.events) == len(parsed.indexes)
    places = parsed.indexes + [error.index for error in parsed.errors]
    assert len(set(places)) == len(places)
    assert all(error.reason for error in parsed.errors)
    for event in parsed.events:
        storable(event)
    job = Job(TENANT, "api", parsed.events, parsed.indexes, "c", lambda _: None)
    rows = prepare(job, Rules()).rows
    text = as_payload(rows)
    text.encode()
    assert len(json.loads(text)) == len(parsed.events)


def storable(event: Event) -> None:
    texts = [event.title, event.link, event.key or ""]
    texts += [*event.labels, *event.labels.values()]
    texts += [*event.annotations, *event.annotations.values()]
    for text in texts:
        assert "\0" not in text
        text.encode()
    assert len(event.labels) <= MOST_LABELS
    assert 1 <= event.severity <= 5
    for moment in (event.starts_at, event.ends_at):
        assert moment is None or moment.utcoffset() is not None


@pytest.mark.parametrize("parse", PARSERS)
@given(body=bodies)
@often
def test_any_json_is_read_or_refused_with_a_sentence(parse, body):
    with suppress(BadBody):
        check(parse(dumped(body)))


@pytest.mark.parametrize("parse", PARSERS)
@given(
    body=st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0dD1-eE.', max_size=60)
)
@often
def test_any_bytes_are_read_or_refused_with_a_sentence(parse, body):
    with suppress(BadBody):
        check(parse(body if isinstance(body, bytes) else body.encode()))


@given(body=bodies, ends=st.sampled_from(["2099-01-01T00:00:00Z", ""]))
@often
def test_the_quick_reader_agrees_with_the_parser_or_leaves_it_to_it(body, ends):
    CLOCK.hear(datetime.now(UTC).timestamp())
    if isinstance(body, list):
        body = [
            item | {"endsAt": ends} if ends and isinstance(item, dict) else item
            for item in body
        ]
    text = dumped(body)
    sifted = Repeats().sift(TENANT, text)
    if sifted is None:
        return
    parsed = alertmanager_v2.parse(text)
    assert sifted.parsed.events == parsed.events
    assert sifted.parsed.indexes == parsed.indexes
    assert parsed.errors == []


@given(text=st.text(alphabet=string.printable, min_size=1, max_size=40))
@often
def test_equal_labels_are_one_alert_in_any_order(text):
    one = {"a": text, "b": text[::-1], "c": "x"}
    keys = set()
    for backwards in (False, True):
        ordered = dict(sorted(one.items(), reverse=backwards))
        body = json.dumps([{"labels": ordered}]).encode()
        events = alertmanager_v2.parse(body).events
        job = Job(TENANT, "api", events, [0], "c", lambda _: None)
        keys |= {row.key for row in prepare(job, Rules()).rows}
    assert len(keys) == 1
