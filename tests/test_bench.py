"""Is what `make bench` sends what it says, and does it judge rightly?"""

from __future__ import annotations

import itertools
import json
from xml.etree import ElementTree

import pytest

from alertcenter.alerts.sources import alertmanager_v2, own_json
from bench import forms, growth, pace, plot
from bench.cpu import PROCESSES
from bench.ingest import Ours, Round
from bench.load import MIXES, Load, Measured, figures
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


def test_growth_is_told_beside_the_first_size_of_the_same_round():
    found = {
        1_000: {mix: [grown(100), grown(200)] for mix in MIXES},
        1_000_000: {mix: [grown(50), grown(150, lost=1)] for mix in MIXES},
    }
    assert growth.ratios(found, 1_000_000, "new") == [0.5, 0.75]
    shown = growth.show("By open alerts", "open", found)
    (row,) = [line for line in shown.splitlines() if "| 1,000,000 | new " in line]
    assert [cell.strip() for cell in row.split("|")][3:5] == [
        "100 (50 .. 150)",
        "0.62x (0.50x .. 0.75x)",
    ]
    panel = growth.drawn("Rate", "open alerts", found)
    assert panel.lines["repeats"] == [1.0, 0.625]


def test_a_round_that_was_not_reached_has_no_ratio():
    found = {1: {"new": [grown(100), grown(100)]}, 100: {"new": [grown(50)]}}
    assert growth.ratios(found, 100, "new") == [0.5]


def grown(rate: int, lost: int = 0) -> growth.One:
    measured = Measured(rate, 1.0, 1, 1, 1, bad=0, share=0.1)
    return growth.One(measured, dict.fromkeys(PROCESSES, 2.0), 0.1, lost)


def test_a_plot_is_xml_whose_lines_stay_inside():
    lines = {"new": [1.0, 0.5, 2.2], "90 %": [1.0, 0.0, 0.9]}
    panels = [plot.Panel("Rate & size", "open", [1_000, 10_000, 100_000], lines)] * 2
    root = ElementTree.fromstring(plot.svg(panels, "a < b"))
    drawn = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(drawn) == 4
    for line in drawn:
        points = [
            tuple(map(float, one.split(","))) for one in line.attrib["points"].split()
        ]
        assert len(points) == 3
        assert all(plot.LEFT < x < plot.WIDTH for x, _ in points)
        assert all(plot.TOP <= y <= plot.HEIGHT - plot.BOTTOM for _, y in points)


def test_each_standing_alert_is_sent_once():
    made = [("a", "k"), ("b", "k")]
    sent = list(growth.requests_to(made, growth.FILL_BATCH + 5))
    assert [len(json.loads(body)) for _, _, body in sent] == [growth.FILL_BATCH, 5] * 2
    names = [
        one["labels"]["instance"] for _, _, body in sent[:2] for one in json.loads(body)
    ]
    assert len(set(names)) == growth.FILL_BATCH + 5


def test_the_sizes_for_which_the_disk_is_too_small_are_left_out(capsys):
    assert list(growth.fitting([1, 10**15])) == [1]
    assert "left out" in capsys.readouterr().out
