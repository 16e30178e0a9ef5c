"""What holds for every adapter, whatever it is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertcenter.alerts.events import Event, check_annotations, check_labels, check_text
from alertcenter.alerts.sources.adapter import Adapter, Incoming, NotUnderstood
from alertcenter.alerts.sources.registry import adapters, find
from tests.sources.lives import LIVES

ALL = [pytest.param(one, id=name) for name, one in adapters().items()]
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def example(adapter: Adapter) -> Incoming:
    return Incoming(
        json.loads(json.dumps(adapter.example))
        if not isinstance(adapter.example, str)
        else {"text": adapter.example},
        adapter.example_headers,
    )


def assert_storable(event: Event) -> None:
    assert event.title.strip()
    assert 1 <= event.severity <= 5
    assert event.key or event.labels
    check_labels(event.labels)
    check_annotations(event.annotations)
    check_text(event.title, "title")
    check_text(event.key or "", "key")
    msgspec.json.encode(event)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["ok", "firing", "resolved", "", "\0", "2026-11-20T10:00:00Z", "<b>", "\ud800"]
    ),
)


def mutated(value: Any, draw: Any) -> Any:
    """Return `value` with parts of it replaced by something else."""
    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.recursive(
                SCALARS,
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=8), inner, max_size=3)
                ),
                max_leaves=6,
            )
        )
    if isinstance(value, dict):
        return {key: mutated(inner, draw) for key, inner in value.items()}
    if isinstance(value, list):
        return [mutated(inner, draw) for inner in value]
    return value


@pytest.mark.parametrize("adapter", ALL)
def test_its_example_is_understood(adapter: Adapter) -> None:
    found = list(adapter.read(example(adapter)))
    assert found
    for one in found:
        assert_storable(one)


@pytest.mark.parametrize("adapter", ALL)
def test_its_example_is_recognised_as_its_own_and_by_no_other(adapter: Adapter) -> None:
    incoming = example(adapter)
    assert [one.name for one in adapters().values() if one.recognise(incoming)] == [
        adapter.name
    ]


@pytest.mark.parametrize("adapter", ALL)
def test_hostile_input_makes_it_say_that_it_does_not_understand(
    adapter: Adapter,
) -> None:
    incoming = example(adapter)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def attack(data: Any) -> None:
        hostile = Incoming(
            mutated(incoming.data, data.draw),
            {name: data.draw(st.text(max_size=8)) for name in adapter.headers}
            if data.draw(st.booleans())
            else adapter.example_headers,
        )
        adapter.recognise(hostile)
        try:
            found = list(adapter.read(hostile))
        except NotUnderstood:
            return
        for one in found:
            assert_storable(one)

    attack()


@pytest.mark.parametrize("adapter", ALL)
@pytest.mark.parametrize(
    "data",
    [None, 1, "", [], {}, [[]], [{}], {"a": {}}, {"text": "hello"}, [1, None, "x"]],
)
def test_what_is_not_its_kind_is_not_understood(adapter: Adapter, data: Any) -> None:
    try:
        found = list(adapter.read(Incoming(data)))
    except NotUnderstood:
        return
    for one in found:
        assert_storable(one)


@pytest.mark.parametrize("adapter", ALL)
def test_each_states_body_carries_the_same_key(adapter: Adapter) -> None:
    life = LIVES[adapter.name]
    headers = adapter.example_headers if life.headers is None else life.headers

    def key(name: str, firing: bool, severity: str, at: datetime) -> Any:
        said = life.say(name, firing, severity, at)
        (one,) = adapter.read(Incoming(said, headers))
        assert one.firing is firing
        return one.key or sorted(one.labels.items())

    low, high = life.severities or ("", "")
    if life.severity_is_identity:
        high = low
    later = AT + timedelta(minutes=5)
    begun = key("web-1", True, low, AT)
    assert key("web-1", True, high, later) == begun
    assert key("web-2", True, low, AT) != begun
    if life.resolves:
        assert key("web-1", False, high, later) == begun


@pytest.mark.parametrize("adapter", ALL)
def test_the_higher_word_is_the_higher_severity(adapter: Adapter) -> None:
    life = LIVES[adapter.name]
    if life.severities is None:
        return
    found = []
    for word in life.severities:
        said = life.say("web-1", True, word, AT)
        (one,) = adapter.read(Incoming(said, life.headers or adapter.example_headers))
        found.append(one.severity)
    assert found[0] < found[1]


def test_names_are_found_however_they_are_written() -> None:
    assert find("Datadog") is adapters()["datadog"]
    assert find("data-dog") is None


@pytest.mark.parametrize("adapter", ALL)
def test_auto_knows_every_state_of_its_life(adapter: Adapter) -> None:
    life = LIVES[adapter.name]
    if adapter.name == "elastalert":
        return  # its bodies have any fields that a user likes
    headers = adapter.example_headers if life.headers is None else life.headers
    word = (life.severities or ("", ""))[0]
    for firing in (True, False):
        incoming = Incoming(life.say("web-1", firing, word, AT), headers)
        found = [one.name for one in adapters().values() if one.recognise(incoming)]
        assert found == [adapter.name]
