"""Strangers' wording costs little, reaches nothing, and is refused with a reason."""

import resource
import time

import pytest

from alertcenter.common.sandbox import LONGEST_TEXT, Broken, compile_source
from tests.notifications.bombs import BOMBS, SILENT

FACTS = {
    "title": "Disk full",
    "number": 7,
    "labels": {"job": "db", "items": "kept", "zone": "eu"},
    "alerts": [
        {"title": "A", "severity": {"level": 3}},
        {"title": "B", "severity": {"level": 5}},
    ],
}
# One bomb may cost this much of a processor; a render's own limit is 0.1 s.
SECONDS = 0.6
MEGABYTES = 50


def say(source: str) -> str:
    return compile_source(source).render(FACTS)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_soon_and_without_much_memory(name):
    memory, started = peak_megabytes(), time.thread_time()

    with pytest.raises(Broken) as refused:
        say(BOMBS[name])

    assert refused.value.reason
    assert time.thread_time() - started < SECONDS
    assert peak_megabytes() - memory < MEGABYTES


@pytest.mark.parametrize("name", SILENT)
def test_what_is_not_there_says_nothing(name):
    assert say(SILENT[name]) == ""


def test_after_a_bomb_the_next_template_has_its_full_budget():
    for name in ("loops_over_much", "tilde", "many_methods"):
        with pytest.raises(Broken):
            say(BOMBS[name])

    assert say("{{ title }}") == "Disk full"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ title|upper }}, {{ title.lower() }}", "DISK FULL, disk full"),
        ("{{ labels.job }} {{ labels['zone'] }} {{ labels.get('no', '-') }}",
         "db eu -"),
        ("{% for k, v in labels.items() %}{{ k }}={{ v }};{% endfor %}",
         "job=db;items=kept;zone=eu;"),
        ("{{ alerts|join(', ', attribute='title') }}", "A, B"),
        ("{% for a in alerts if a.severity.level > 3 %}{{ a.title }}{% endfor %}", "B"),
        ("{% for a in alerts %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}",
         "1,2"),
        ("{{ number * 2 + 1 }} {{ number // 2 }} {{ number % 4 }}", "15 3 3"),
        ("{{ missing }}{{ missing.deeper.still }}{{ missing|default('none') }}",
         "none"),
        ("{% if 'full' in title and labels.job in ['db', 'web'] %}yes{% endif %}",
         "yes"),
        ("{{ title|truncate(6) }}", "Disk…"),
        ("{% set who = 'on ' ~ labels.job %}{{ who }}", "on db"),
    ],
)  # fmt: skip
def test_what_messages_need_can_be_said(source, said):
    assert say(source) == said


def test_a_label_called_like_a_method_is_still_a_label():
    assert compile_source("{{ labels.pop }}{{ labels.copy }}").render(
        {"labels": {"pop": "a", "copy": "b"}}
    ) == ("ab")


def test_an_honest_template_with_many_labels_stays_within_its_budget():
    facts = {"alerts": [{"labels": {f"l{n}": "v" * 100 for n in range(64)}}] * 10}
    source = (
        "{% for a in alerts %}{% for k, v in a.labels|dictsort %}"
        "{{ k|upper }}: {{ v|truncate(80) }}\n{% endfor %}{% endfor %}"
    )

    said = compile_source(source).render(facts)

    assert said.count("\n") == 640


def test_no_text_is_longer_than_the_limit():
    assert len(compile_source("{{ t }}").render({"t": "x" * LONGEST_TEXT})) == (
        LONGEST_TEXT
    )
    with pytest.raises(Broken):
        compile_source("{{ t }}{{ t }}").render({"t": "x" * LONGEST_TEXT})


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("one\n{{ title", "Line 2"),
        ("{% if %}", "Line 1"),
        ("{{ title|shout }}", "shout"),
        ("\n\n{% macro m() %}{% endmacro %}", "Line 3"),
    ],
)
def test_the_reason_says_where_and_what(source, part):
    with pytest.raises(Broken) as refused:
        compile_source(source)

    assert part in refused.value.reason


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 'a\"b\n'|tojson }}", '"a\\"b\\n"'),
        ("{{ nothing|tojson }}", "null"),
        ("{{ labels|tojson }}", '{"a": "</b>"}'),
        ("{{ [1, 2.5, true, none]|tojson }}", "[1, 2.5, true, null]"),
        ("{{ 'a/b?c=é ..'|urlencode }}", "a%2Fb%3Fc%3D%C3%A9%20.."),
    ],
)
def test_values_can_stand_in_json_and_in_addresses(source, said):
    assert compile_source(source).render({"labels": {"a": "</b>"}}) == said


@pytest.mark.parametrize("what", ["tojson", "urlencode"])
def test_what_becomes_too_long_that_way_is_refused(what):
    many = {"texts": ["é" * 1_000] * 100, "text": "é" * 30_000}
    source = "{{ texts|tojson }}" if what == "tojson" else "{{ text|urlencode }}"
    with pytest.raises(Broken):
        compile_source(source).render(many)


def test_a_deep_value_is_no_json():
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Broken):
        compile_source("{{ deep|tojson }}").render({"deep": deep})
