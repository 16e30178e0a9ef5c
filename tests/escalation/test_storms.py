"""Too many groups on one route: one page, digests, and an end."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.utils import OperationalError

from alertcenter import flow
from alertcenter.alerts.models import Group, Route, Storm
from alertcenter.alerts.routing import load
from escalation import actions, storms
from notifications import rendering
from notifications.channels import block_kit
from notifications.message import Message
from notifications.models import Channel, Delivery
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as
from tests.escalation.scene import Scene, make_scene
from tests.escalation.test_line import BOB, engine

pytestmark = pytest.mark.django_db(transaction=True)
ALLOWED = 10


@pytest.fixture
def stormy(scene: Scene) -> Scene:
    """Eleven groups a minute are a storm."""
    with in_tenant(scene.id):
        Route.objects.update(storm_per_minute=ALLOWED, group_by=["alertname", "n"])
    return scene


def burst(scene: Scene, send, first: int, count: int, **labels: str) -> None:
    numbers = range(first, first + count)
    send.prometheus(scene.id, *[fire(0, n=f"{n:05}", **labels) for n in numbers])
    engine()


def end(scene: Scene, send, first: int, count: int) -> None:
    numbers = [f"{n:05}" for n in range(first, first + count)]
    events = [over(5) | {"labels": fire(0, n=n)["labels"]} for n in numbers]
    send.prometheus(scene.id, *events)
    engine()


def minutes_pass(scene: Scene, minutes: float) -> None:
    """Let all that storms remember have been so much earlier."""
    ago = "- %(m)s * interval '1 minute'"
    with in_tenant(scene.id), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE storm SET look_at = look_at {ago}, told_at = told_at {ago}, "
            f"calm_since = calm_since {ago}, ended_at = ended_at {ago}",
            {"m": minutes},
        )
        cursor.execute(
            f"UPDATE alert_group SET opened_at = opened_at {ago}", {"m": minutes}
        )
        cursor.execute("UPDATE route_rate SET minute = minute - %s", [int(minutes)])


def sweep(scene: Scene, minutes: float = 0.1) -> None:
    """Let the engine look at the storms, so many minutes later."""
    minutes_pass(scene, minutes)
    connection.close()
    with login_as("engine"):
        storms.sweep()
    engine()


def pages(scene: Scene) -> list[Delivery]:
    return [d for d in scene.deliveries() if d.state != "cancelled"]


def only_storm(scene: Scene) -> Storm:
    with in_tenant(scene.id):
        return Storm.objects.get()


def own_group(scene: Scene) -> Group:
    with in_tenant(scene.id):
        found = Group.objects.filter(pk=only_storm(scene).group_id or scene.id)
        return found.get()


def test_up_to_the_limit_each_group_is_paged(stormy, send):
    burst(stormy, send, 0, ALLOWED)
    assert len(pages(stormy)) == ALLOWED
    with in_tenant(stormy.id):
        assert not Storm.objects.exists()


def test_above_it_there_is_one_page_with_the_funnel(stormy, send):
    burst(stormy, send, 0, 40)
    assert pages(stormy) == []
    sweep(stormy)
    (page,) = pages(stormy)
    message = page.message
    assert message["kind"] == "storm"
    assert message["storm"]["groups"] == 40
    assert message["storm"]["alerts"] == 40
    assert message["storm"]["open_groups"] == 40
    assert message["storm"]["top"][0] == ["alertname=DiskFull", 40]
    assert message["url"].endswith("/t/acme/?q=route%3Drest")
    assert len(message["alerts"]) == 10
    assert "resolve" not in message["actions"]


def test_the_groups_of_a_storm_have_no_runs_and_keep_their_place(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    assert len(stormy.runs()) == 1
    with in_tenant(stormy.id):
        held = Group.objects.exclude(pk=own_group(stormy).pk)
        assert held.filter(state="firing").count() == 40
        assert set(held.values_list("storm_id", flat=True)) == {only_storm(stormy).pk}


def test_what_was_not_told_yet_when_it_begins_belongs_to_it(stormy, send):
    burst(stormy, send, 0, ALLOWED)
    assert len(pages(stormy)) == ALLOWED
    with in_tenant(stormy.id):  # two are out, the others wait to be sent
        out = [d.pk for d in stormy.deliveries()[:2]]
        Delivery.objects.filter(pk__in=out).update(state="sent")
    burst(stormy, send, 100, 5)
    assert len(pages(stormy)) == 2
    sweep(stormy)
    assert len(pages(stormy)) == 3
    assert pages(stormy)[-1].message["storm"]["groups"] == ALLOWED - 2 + 5


def test_a_digest_comes_once_a_minute_and_only_with_news(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    for turn in range(1, 6):
        burst(stormy, send, turn * 1000, 20)
        sweep(stormy)
    assert len(pages(stormy)) == 1
    assert stormy.deliveries("reply") == []
    sweep(stormy, 1)
    (line,) = stormy.deliveries("reply")
    assert line.message["note"]["kind"] == "storm"
    assert line.message["note"]["data"]["groups"] == 140
    burst(stormy, send, 9000, 20)
    sweep(stormy, 0.5)
    assert len(stormy.deliveries("reply")) == 1
    sweep(stormy, 0.6)
    assert len(stormy.deliveries("reply")) == 2


def test_it_ends_after_two_calm_minutes_with_one_last_digest(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    sweep(stormy, 2)  # the rate is down: calm since now
    assert only_storm(stormy).ended_at is None
    sweep(stormy, 1.5)
    assert only_storm(stormy).ended_at is None
    sweep(stormy, 1)
    assert only_storm(stormy).ended_at is not None
    (line,) = stormy.deliveries("reply")
    assert line.message["note"]["kind"] == "storm_over"
    assert line.message["note"]["data"]["open"] == 40
    assert own_group(stormy).state == "firing"
    sweep(stormy, 5)
    assert len(stormy.deliveries("reply")) == 1
    # A group that opens now is paged by itself again.
    burst(stormy, send, 5000, 1)
    assert len(pages(stormy)) == 2


def test_a_rate_above_half_keeps_it_going(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    sweep(stormy, 2)
    assert only_storm(stormy).calm_since is not None
    burst(stormy, send, 1000, 6)
    sweep(stormy)
    assert only_storm(stormy).calm_since is None


def test_its_group_is_resolved_with_the_last_that_fires(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    sweep(stormy, 2)
    sweep(stormy, 2)
    end(stormy, send, 0, 39)
    sweep(stormy, 1)
    assert own_group(stormy).state == "firing"
    assert own_group(stormy).firing_count == 1
    with in_tenant(stormy.id):
        Delivery.objects.filter(kind="page").update(state="sent")
    end(stormy, send, 39, 1)
    sweep(stormy, 1)
    assert own_group(stormy).state == "resolved"
    assert only_storm(stormy).closed_at is not None
    assert stormy.deliveries("reply")[-1].message["note"]["kind"] == "resolved"
    assert [run.state for run in stormy.runs()] == ["stopped"]


def test_nobody_who_takes_it_means_the_next_level_is_told_once(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    stormy.pass_time(300)
    engine()
    assert [d.channel_kind for d in pages(stormy)] == ["slack", "email"]
    assert pages(stormy)[1].message["kind"] == "storm"


def test_it_can_be_taken_and_something_worse_pages_again(stormy, send):
    burst(stormy, send, 0, 40, severity="warning")
    sweep(stormy)
    with in_tenant(stormy.id):
        actions.acknowledge(stormy.id, [own_group(stormy).pk], actor=BOB)
        Delivery.objects.filter(kind="page").update(state="sent")
    stormy.pass_time(1000)
    burst(stormy, send, 1000, 1, severity="critical")
    sweep(stormy, 0.2)
    assert own_group(stormy).state == "acknowledged"  # at most one page a minute
    sweep(stormy, 1)
    assert own_group(stormy).state == "firing"
    assert own_group(stormy).severity == 5
    assert len(pages(stormy)) == 2


def test_a_step_that_falls_due_while_nothing_of_it_fires_waits(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    end(stormy, send, 0, 40)
    sweep(stormy)
    stormy.pass_time(1000)
    engine()
    assert [step.held for step in stormy.due()] == ["storm"]
    assert len(pages(stormy)) == 1


def test_a_person_who_resolves_it_hears_again_when_it_goes_on(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    with in_tenant(stormy.id):
        actions.resolve(stormy.id, [own_group(stormy).pk], actor=BOB)
        Delivery.objects.filter(kind="page").update(state="sent")
    sweep(stormy, 1)
    assert len(pages(stormy)) == 1
    burst(stormy, send, 1000, 20)
    sweep(stormy, 1)
    assert own_group(stormy).state == "firing"
    assert len(pages(stormy)) == 2
    assert pages(stormy)[-1].message["storm"]["groups"] == 60


def test_looking_twice_says_nothing_twice(stormy, send):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    before = len(stormy.deliveries()), len(stormy.deliveries("reply"))
    for _ in range(3):
        sweep(stormy, 0)
        sweep(stormy)
    assert (len(stormy.deliveries()), len(stormy.deliveries("reply"))) == before
    with in_tenant(stormy.id):
        assert Storm.objects.count() == 1


def test_a_death_before_the_commit_leaves_one_page_and_not_two(
    stormy, send, monkeypatch
):
    burst(stormy, send, 0, 40)
    minutes_pass(stormy, 0.1)

    def die(_point: str) -> None:
        raise OperationalError("killed")

    connection.close()
    with monkeypatch.context() as patch, login_as("engine"):
        patch.setattr("escalation.storms.failpoints.hit", die)
        with pytest.raises(OperationalError):
            storms.sweep()
    assert stormy.deliveries() == []
    assert only_storm(stormy).group_id is None
    sweep(stormy)
    assert len(pages(stormy)) == 1


def test_groups_that_are_silenced_are_no_storm(stormy, send):
    with in_tenant(stormy.id), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO silence (tenant_id, kind, title, matchers, starts_at, ends_at,"
            " created_by, comment, annotations, recurrence, time_zone, until_gone,"
            " in_force) VALUES (%s, 'silence', '', %s, now() - interval '1 minute',"
            " now() + interval '1 hour', '', '', '{}', '', '', false, true)",
            [stormy.id, '["alertname=\\"DiskFull\\""]'],
        )
    burst(stormy, send, 0, 40)
    with in_tenant(stormy.id):
        assert not Storm.objects.exists()


def test_zero_means_never_and_empty_means_as_above(stormy, send):
    with in_tenant(stormy.id):
        root = Route.objects.get()
        Route.objects.create(
            tenant_id=stormy.id, name="child", matchers=['n=~".+"'], position=1
        )
        found = load(stormy.id)
        assert (found.storm_per_minute, found.children[0].storm_per_minute) == (10, 10)
        root.storm_per_minute = None
        root.save()
        assert load(stormy.id).storm_per_minute == 30
        root.storm_per_minute = 0
        root.save()
    burst(stormy, send, 0, 60)
    with in_tenant(stormy.id):
        assert not Storm.objects.exists()


def test_people_on_the_routes_channels_hear_of_the_storm_machines_of_every_group(
    stormy, send
):
    with in_tenant(stormy.id):
        people = Channel.objects.create(
            tenant_id=stormy.id,
            kind="slack",
            slug="p",
            name="#p",
            settings={"channel": "C2", "team_id": "T1"},
            secret="{}",
        )
        machine = Channel.objects.create(
            tenant_id=stormy.id, kind="webhook", slug="m", name="m", secret="{}"
        )
        Route.objects.get().channels.add(
            people, machine, through_defaults={"tenant_id": stormy.id}
        )
    burst(stormy, send, 0, 40)
    sweep(stormy)
    told = [d for d in pages(stormy) if d.channel_id == people.pk]
    assert [d.message["kind"] for d in told] == ["storm"]
    with in_tenant(stormy.id):
        assert storms.listening(stormy.group(), [people, machine]) == [machine]


def test_another_tenants_groups_are_no_part_of_it(stormy, globex, send):
    globex.members["bob"] = globex.members["charlie"]
    other = make_scene(globex)
    burst(stormy, send, 0, 40)
    send.prometheus(other.id, fire(0))
    engine()
    sweep(stormy)
    assert len(pages(other)) == 1
    assert pages(other)[0].message["kind"] == "firing"
    with in_tenant(other.id):
        assert not Storm.objects.exists()


def test_the_work_grows_not_with_the_number_of_groups(
    stormy, send, django_assert_max_num_queries
):
    burst(stormy, send, 0, 20)
    sweep(stormy)
    counts = []
    for size in (5, 50):
        numbers = range(size * 1000, size * 1000 + size)
        send.prometheus(stormy.id, *[fire(0, n=str(n)) for n in numbers])
        connection.close()
        with login_as("engine"), django_assert_max_num_queries(200) as seen:
            flow.process_feed()
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 3


def test_it_reads_well_in_slack_and_in_three_languages(stormy, send, acme):
    burst(stormy, send, 0, 40)
    sweep(stormy)
    message = Message.from_json(pages(stormy)[0].message)
    assert message.storm is not None
    with in_tenant(stormy.id):
        said = {
            language: rendering.words(
                stormy.id,
                message,
                channel_kind="slack",
                language=language,
                fallback="en",
                time_zone="UTC",
            )
            for language in ("en", "fr", "de")
        }
    assert said["en"].title == "Storm on rest: 40 groups"
    assert said["fr"].title == "Tempête sur rest : 40 groupes"
    assert said["de"].title == "Sturm auf rest: 40 Gruppen"
    assert "40 alerts in 40 groups; 40 still fire." in said["en"].body
    assert "alertname=DiskFull: 40" in said["en"].body
    assert not any(words.problem for words in said.values())
    assert block_kit.alert_line(message.alerts[0])
