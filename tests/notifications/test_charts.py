"""Does a chart follow a page of Slack, once, without ever touching the page?"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest
from django.core.exceptions import ValidationError
from PIL import Image
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from escalation.charts import chart_of, expression_of, unbounded
from escalation.messages import picture_of
from notifications import chart_data, chart_drawing, delivery
from notifications.channels import slack as channel
from notifications.channels import slack_chart
from notifications.chart_data import NoChart, Series
from notifications.message import AlertLine
from notifications.models import Attempt, Delivery, Destination
from tenants.rls import in_tenant
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack
from tests.notifications.phones import LOOPBACK
from tests.notifications.scene import Outbox, a_message, a_parcel, acknowledged

EXPRESSION = 'disk_used{job="node"} > 0.9'
CHART = {"expr": EXPRESSION, "source": "https://prometheus.example"}


@pytest.fixture
def prometheus(settings) -> Iterator[FakePrometheus]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakePrometheus() as fake:
        yield fake


@pytest.fixture
def charted(ops: Outbox, prometheus: FakePrometheus) -> Outbox:
    """#ops, which knows Prometheus."""
    with in_tenant(ops.tenant_id):
        channel = ops.channel
        channel.settings = channel.settings | {"prometheus_url": prometheus.url}
        held = {"bot_token": "xoxb-1", "signing_secret": "s"}
        token = {"prometheus_token": FakePrometheus.SECRET_TEXT}
        channel.secret = json.dumps(held | token)
        channel.save()
    return ops


def charts(ops: Outbox) -> list[Delivery]:
    with in_tenant(ops.tenant_id):
        return list(Delivery.objects.filter(kind="chart").order_by("id"))


def answers(ops: Outbox) -> list[str]:
    with in_tenant(ops.tenant_id):
        rows = Attempt.objects.filter(delivery_id__in=[c.pk for c in charts(ops)])
        return [f"{row.outcome}: {row.answer}" for row in rows.order_by("id")]


def of_chart(slack: FakeSlack) -> list[str]:
    return [c.method for c in slack.requests if c.method.startswith("files.")]


# --- it follows the page ---


@pytest.mark.django_db(transaction=True)
def test_a_chart_is_added_to_the_thread_after_the_page(charted, slack, prometheus):
    charted.put("1", a_message(chart=CHART))
    charted.deliver(rounds=2)
    (message,), (file,) = slack.messages, slack.files
    assert file.shared == (message.channel_id, message.ts)
    assert file.title == "Disks are full"
    assert EXPRESSION in file.asked["alt_txt"]
    picture = Image.open(io.BytesIO(file.content))
    assert (picture.format, picture.width) == ("PNG", chart_drawing.WIDTH)
    assert next(c.method for c in slack.requests) == "chat.postMessage"
    asked = prometheus.asked(prometheus.requests[0])
    assert asked["query"] == EXPRESSION
    assert float(asked["end"]) - float(asked["start"]) == pytest.approx(3600)
    assert 3600 / float(asked["step"]) <= chart_data.MOST_POINTS
    assert [one.state for one in charts(charted)] == ["sent"]


@pytest.mark.django_db(transaction=True)
def test_one_group_gets_one_chart(charted, slack, prometheus):
    message = a_message(chart=CHART)
    for idem in ("1", "2"):
        charted.put(idem, message)
    charted.refresh(acknowledged(message), 2)
    charted.deliver(rounds=4)
    assert len(slack.files) == 1
    assert len(prometheus.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_asks_prometheus_where_it_is_not_set(ops, slack, prometheus):
    ops.put("1", a_message(chart=CHART))
    ops.deliver(rounds=2)
    assert (charts(ops), prometheus.requests, slack.files) == ([], [], [])


@pytest.mark.django_db(transaction=True)
def test_an_alert_without_an_expression_has_no_chart(charted, slack):
    charted.put("1")
    charted.deliver(rounds=2)
    assert charts(charted) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_asked_of_anybody_in_simulation(charted, prometheus, settings):
    settings.SIMULATION = True
    parcel = a_parcel("chart", message=a_message(chart=CHART))
    assert "simulation" in slack_chart.send(parcel).answer
    assert prometheus.requests == []


# --- it never touches the page ---


def after_the_page(slack: FakeSlack) -> None:
    """Let the page pass; what is told next is for the chart."""
    slack.slow(0)


def unwell(fake: FakePrometheus, how: str) -> None:
    if how == "slow":
        fake.slow(5)
    elif how == "cut":
        fake.truncates()
    elif how == "huge":
        fake.result = [{"metric": {"a": "x" * 1000}, "values": [[1, "1"]]}] * 2000
    elif how == "nonsense":
        fake.status(200, '{"data": {"result": [{"values": "x"}]}}')
    elif how == "empty":
        fake.result = []
    else:
        fake.status(int(how), "no")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "how", ["500", "401", "429", "slow", "cut", "huge", "nonsense", "empty"]
)
def test_whatever_prometheus_does_the_page_has_left(
    charted, slack, prometheus, monkeypatch, how
):
    monkeypatch.setattr(chart_data, "SECONDS", 0.5)
    unwell(prometheus, how)
    pk = charted.put("1", a_message(chart=CHART))
    charted.deliver(rounds=2)
    assert charted.row(pk).state == "sent"
    assert slack.files == []
    (told,) = answers(charted)
    assert told.startswith("dead: chart: ")
    assert FakePrometheus.SECRET_TEXT not in told
    with in_tenant(charted.tenant_id):
        assert not Destination.objects.filter(failures__gt=0).exists()
        assert not Destination.objects.filter(slow=True).exists()


@pytest.mark.django_db(transaction=True)
def test_slacks_refusal_is_a_note_of_the_chart_alone(charted, slack):
    pk = charted.put("1", a_message(chart=CHART))
    after_the_page(slack)
    slack.ok_false("missing_scope")
    charted.deliver()
    assert charted.row(pk).state == "sent"
    assert "missing_scope" in answers(charted)[-1]
    charted.put("2")
    charted.deliver()
    assert len(slack.messages) == 2


@pytest.mark.django_db(transaction=True)
def test_slacks_too_many_is_waited_for(charted, slack):
    charted.put("1", a_message(chart=CHART))
    after_the_page(slack)
    slack.rate_limited(30)
    charted.deliver()
    assert [one.state for one in charts(charted)] == ["pending"]
    charted.deliver()
    assert len([f for f in slack.files if f.shared]) == 1


@pytest.mark.django_db(transaction=True)
def test_what_may_be_there_is_not_uploaded_again(charted, slack):
    charted.put("1", a_message(chart=CHART))
    after_the_page(slack)
    slack.reset_after_read()
    charted.deliver(rounds=4)
    assert of_chart(slack) == ["files.getUploadURLExternal"]
    assert [one.state for one in charts(charted)] == ["dead"]


@pytest.mark.django_db(transaction=True)
def test_a_chart_that_takes_long_holds_up_no_redraw(charted, slack, prometheus):
    message = a_message(chart=CHART)
    charted.put("1", message)
    delivery.deliver_due(1)
    charted.refresh(acknowledged(message), 2)
    prometheus.slow(2)
    begun = time.monotonic()
    charted.deliver()
    update = next(c for c in slack.requests if c.method == "chat.update")
    upload = next(c for c in slack.requests if c.method.startswith("files."))
    assert update.monotonic_ns < upload.monotonic_ns
    assert time.monotonic() - begun < 15


def test_an_address_inside_is_not_asked(prometheus, settings):
    settings.OUTBOUND_ALLOW = []
    with pytest.raises(NoChart, match="inside"):
        chart_data.fetch(prometheus.url, "", "up")
    assert prometheus.requests == []


# --- slack_sdk is the judge of the fake ---


@pytest.fixture
def client(slack: FakeSlack) -> WebClient:
    return WebClient("xoxb-1", slack.url)


def test_the_sdk_uploads_to_the_fake(slack, client):
    root = client.chat_postMessage(channel="C1", text="x")
    got = client.files_upload_v2(
        content=b"PNG", filename="a.png", channel=root["channel"], thread_ts=root["ts"]
    )
    assert got["file"]["id"] == slack.files[0].id
    assert slack.files[0].content == b"PNG"


def test_the_fake_refuses_as_slack_does(slack, client):
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.files_getUploadURLExternal(filename="", length=1)
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": "F9", "title": "x"}])
    with pytest.raises(SlackApiError, match="thread_not_found"):
        client.files_upload_v2(
            content=b"x", filename="a", channel="C1", thread_ts="1.000001"
        )
    asked = client.files_getUploadURLExternal(filename="a", length=9)
    with pytest.raises(HTTPError):
        client._upload_file(
            url=asked["upload_url"], data=b"x", logger=client._logger, timeout=5,
            proxy=None, ssl=None,
        )  # fmt: skip


# --- what is drawn ---


def line(name: str, *values: float, step: float = 60.0) -> Series:
    return Series(name, tuple((1.7e9 + n * step, v) for n, v in enumerate(values)))


@pytest.mark.parametrize(
    "series",
    [
        [line("one", 5.0)],
        [line("flat", 0.0, 0.0, 0.0)],
        [line("huge", 9e299, -9e299), line("tiny", 1e-308, 0.0)],
        [line(f"s{n}", *range(n, n + 200)) for n in range(20)],
        [Series("gap", ((0.0, 1.0), (60.0, 2.0), (120.0, 1.0), (3000.0, 9.0)))],
        [line("日本語 \u202e <b>", 1.0, 2.0)],
    ],
)
def test_every_hour_can_be_drawn(series):
    png = chart_drawing.draw(series, title=EXPRESSION, time_zone="Europe/Berlin")
    picture = Image.open(io.BytesIO(png))
    picture.load()
    assert picture.getpixel((1, 1)) == (255, 255, 255)
    assert len(picture.getcolors(1 << 20) or []) > 2
    assert len(png) < 200_000


def test_times_are_those_of_the_readers_zone():
    one = [line("a", *range(60))]
    berlin = chart_drawing.draw(one, title="a", time_zone="Europe/Berlin")
    assert berlin != chart_drawing.draw(one, title="a", time_zone="UTC")


def test_no_more_is_read_than_what_can_be_drawn():
    pairs = [[n, "1"] for n in range(500)]
    result = [{"metric": {"n": str(n)}, "values": pairs} for n in range(50)]
    found = chart_data.read(json.dumps({"data": {"result": result}}))
    assert len(found) == chart_data.MOST_SERIES
    assert {len(one.points) for one in found} == {chart_data.MOST_POINTS}


def test_what_is_no_number_is_a_gap():
    values = [[1, "NaN"], [2, "+Inf"], [3, "0.5"]]
    told = {"data": {"result": [{"metric": {}, "values": values}]}}
    (one,) = chart_data.read(json.dumps(told))
    assert one.points == ((3.0, 0.5),)


# --- what is charted ---


@pytest.mark.parametrize(
    ("link", "expression"),
    [
        ("http://p:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1", "up == 0"),
        ("https://grafana.example/alerting/grafana/x/view", ""),
        ("http://p/graph?g0.expr=" + "x" * 3000, ""),
        ("http://[p/graph?g0.expr=up", ""),
        ("", ""),
    ],
)
def test_the_expression_is_read_from_the_link(link, expression):
    assert expression_of(link) == expression


@pytest.mark.parametrize(
    ("expression", "metric"),
    [
        ('disk_used{job="a>b"} > 0.9', 'disk_used{job="a>b"}'),
        ("up == 0", "up"),
        ("rate(x[5m]) >= bool 1e3", "rate(x[5m])"),
        ("(a > 1)", "(a > 1)"),
        ("sum(a > 1)", "sum(a > 1)"),
        ("a > 1 and b > 2", "a > 1 and b > 2"),
        ("a > b", "a > b"),
        ("absent(up)", "absent(up)"),
    ],
)
def test_the_metric_is_drawn_without_its_bound(expression, metric):
    assert unbounded(expression) == metric


def test_the_worst_alert_that_names_an_expression_is_charted():
    lines = [
        AlertLine("a", 5, "firing", link="https://grafana.example/a"),
        AlertLine("b", 4, "firing", link="https://prom.example/graph?g0.expr=up"),
    ]
    assert chart_of(lines) == {"expr": "up", "source": "https://prom.example"}
    assert chart_of(lines[:1]) == {}


# --- settings ---


def test_a_stored_token_is_shown_to_no_other_server():
    given: dict[str, Any] = {"stored": {"prometheus_url": "https://p.example"}}
    held = {"bot_token": "x", "signing_secret": "s", "prometheus_token": "t"}
    same = given | {"prometheus_url": "https://p.example/prometheus"}
    other = given | {"prometheus_url": "https://p.example:9090"}
    assert channel.needed(same, held) == {}
    assert "prometheus_token" in channel.needed(other, held)
    assert channel.needed(other | {"prometheus_token": "new"}, held) == {}
    # In two steps neither: first without an address, then with another.
    cleared = {"stored": {"prometheus_url": ""}}
    assert channel.needed(given | {"prometheus_url": ""}, held) == {}
    found = channel.needed(cleared | {"prometheus_url": "https://evil.example"}, held)
    assert "prometheus_token" in found


@pytest.mark.parametrize("at", ["1e300", "-1e300", "1" + "0" * 400, "-5"])
def test_a_time_that_no_calendar_has_is_not_drawn(at):
    body = '{"data": {"result": [{"metric": {}, "values": [[AT, "1"]]}]}}'
    body = body.replace("AT", at)
    try:
        assert chart_data.read(body) == []
    except chart_data.NoChart:
        pass


def test_the_address_of_prometheus_is_an_address():
    (setting,) = [s for s in channel.SPEC.settings if s.name == "prometheus_url"]
    assert setting.check
    with pytest.raises(ValidationError):
        setting.check("javascript:alert(1)")


# --- the source's own picture ---


def pictured(url: str, title: str = "db-1 is full") -> Any:
    return a_message(alerts=(AlertLine(title, 5, "firing", image=url),), alert_count=1)


def images(message: Any) -> list[dict[str, Any]]:
    return [b for b in message.json["blocks"] if b["type"] == "image"]


def page(slack_fake: FakeSlack, message: Any) -> None:
    url = {"channel": "C1", "api_url": slack_fake.url}
    channel.send(a_parcel(message=message, settings=url))


def test_the_sources_picture_is_shown(slack: FakeSlack):
    page(slack, pictured("https://pictures.example/1.png", "a <!channel> & b"))
    ((image,),) = [images(m) for m in slack.messages]
    assert image["image_url"] == "https://pictures.example/1.png"
    assert image["alt_text"] == "a &lt;!channel&gt; &amp; b"


@pytest.mark.parametrize(
    "url",
    [
        "http://pictures.example/1.png",
        "javascript:alert(1)",
        "https://pictures.example/" + "x" * 3000,
        "https://pictures.example/1.png|<!channel>",
        "https://pictures.example/é.png",
        "",
    ],
)
def test_what_is_no_address_of_a_picture_is_not(slack: FakeSlack, url):
    page(slack, pictured(url))
    assert [images(m) for m in slack.messages] == [[]]


def test_a_picture_that_slack_cannot_fetch_costs_the_picture_alone(slack: FakeSlack):
    slack.ok_false("invalid_blocks")
    page(slack, pictured("https://inside.example/1.png"))
    assert [images(m) for m in slack.messages] == [[]]


@pytest.mark.parametrize("name", ["image_url", "__imageURL__", "imageURL"])
def test_pictures_are_found_by_their_names(name):
    assert picture_of({name: "https://a.example/1.png"}) == "https://a.example/1.png"
    assert picture_of({name: "http://a.example/1.png"}) == ""
