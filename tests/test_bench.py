"""Is what `make bench` sends what it says, and does it judge rightly?"""

from __future__ import annotations

import itertools
import json

import pytest

from alertcenter.alerts.sources import alertmanager_v2, own_json
from bench import forms, pace
from bench.ingest import Ours, Round
from bench.load import Load, Measured, figures
from bench.targets import Verdict, of_answers, of_rounds


@pytest.mark.parametrize(
    ("form", "parse"),
    [
        (forms.ALERTMANAGER, alertmanager_v2.parse),
        (forms.OWN, own_json.parse),
    ],
)
def test_what_it_sends_is_kept_whole(form, parse):
    stamped = forms.stamped(form, "here")
    items = [event for text in bodies(stamped) for event in parse(text).events]
    assert len(items) == forms.DISTINCT
    assert len({event.labels["instance"] for event in items}) == forms.DISTINCT
    assert {event.labels["cluster"] for event in items} == {"here"}
    assert {event.labels["severity"] for event in items} == {"warning"}
    assert not any(parse(text).errors for text in bodies(stamped))


def bodies(stamped):
    return [text.encode() for text in forms.repeated(stamped, forms.DISTINCT, 100)]


def test_an_alert_of_alerta_is_json_too():
    (first, *_) = forms.repeated(forms.stamped(forms.ALERTA, "here"), 10, 1)
    assert json.loads(first)[0]["resource"] == "here-web-0:9100"


def test_generations_of_repeats_differ_in_their_end():
    assert len(set(forms.endings())) == forms.GENERATIONS


@pytest.mark.parametrize(("batch", "turns"), [(1, 1000), (10, 100), (100, 10)])
def test_a_steady_sender_keeps_to_its_mix(batch, turns):
    form = forms.stamped(forms.ALERTMANAGER, "here")
    order = pace.Order("http://127.0.0.1:1/", "", form, batch, "90 %", 1, 1, 1)
    sent = [
        alert["labels"]["instance"]
        for body in itertools.islice(pace.bodies(order), turns)
        for alert in json.loads(body)
    ]
    known = {f"web-{number}:9100" for number in range(forms.DISTINCT)}
    assert len(sent) == 1000
    assert len([name for name in sent if name not in known]) == 100
    assert len(set(sent)) == 1000


def test_an_answer_is_whole_when_its_body_is_there():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    assert [pace.whole(head[:-1]), pace.whole(head), pace.whole(head + b"abc")] == [
        False,
        False,
        True,
    ]


def test_refused_requests_count_as_no_alerts():
    said = 'x\nFIGURES {"requests":12,"us":2000000,"bad":2,"p50":1,"p95":2,"p99":3}\n'
    found = figures(said, Load(100, 16, "new"), spent=0.5)
    assert (found.alerts, found.rate, found.bad, found.share) == (1000, 500.0, 2, 0.25)


def test_a_verdict_says_by_how_much_it_was_missed():
    assert Verdict("rate", 1.0, 1.2).said == "pass"
    assert Verdict("rate", 1.0, 0.75).said == "missed by 25 %"
    assert Verdict("p95", 0.35, 0.7, least=False).said == "missed by 100 %"
    assert Verdict("lost", 0, 3, least=False, show=str).said == "missed by 3"


def test_a_cell_is_judged_by_its_middle_round():
    cell = Load(1, 64, "new")
    rounds = {cell: [a_round(rate) for rate in (50, 70, 90)]}
    (verdict,) = of_rounds(rounds)
    assert (verdict.asked, verdict.found, verdict.holds) == (0.6, 0.7, True)


def test_one_lost_alert_is_told():
    rounds = {Load(1, 64, "new"): [a_round(70), a_round(70, lost=1)]}
    assert [one.found for one in of_answers(rounds)] == [0, 1, 0]


def a_round(rate: int, lost: int = 0) -> Round:
    ours = Measured(rate, 1.0, 1, 1, 1, bad=0, share=0.1)
    theirs = Measured(100, 1.0, 1, 1, 1, bad=0, share=0.1)
    return Round(Ours(ours, {}, 0.0, lost, 0, 0.0), theirs, 0.0, limit=0.0)
