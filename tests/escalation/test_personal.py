"""Does a policy's step walk the person's chain, and does the chain stop in time?"""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts import lifecycle
from escalation import actions, dispatcher
from notifications import claiming, delivery
from notifications.models import Contact, PersonalStep, QuietHours
from notifications.models.personal import every_day
from tenants.actors import Actor
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as
from tests.escalation.scene import Scene, make_scene

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor("member", "1", "Bob")


@pytest.fixture
def scene(acme, settings) -> Scene:
    """Bob is on call, and told by mail at once, at another mailbox 300 s later, and at
    the first one again after 300 s more."""
    settings.SIMULATION = True
    made = make_scene(acme)
    mine = {"tenant_id": acme.id, "member": acme.members["bob"]}
    with in_tenant(acme.id):
        first = Contact.objects.get(address="bob@acme.example")
        second = Contact.objects.create(
            **mine, kind="email", address="bob@home.example", position=2
        )
        steps = (
            {"kind": "contact", "contact": first},
            {"kind": "wait", "wait_seconds": 300},
            {"kind": "contact", "contact": second},
            {"kind": "wait", "wait_seconds": 300},
            {"kind": "contact", "contact": first},
        )
        for position, values in enumerate(steps, 1):
            PersonalStep.objects.create(**mine, position=position, **values)
    return made


def engine() -> None:
    connection.close()
    with login_as("engine"):
        while flow.process_feed() or dispatcher.do_due_steps():
            flow.redraw_grown()


def deliver() -> None:
    connection.close()
    with login_as("engine"):
        delivery.deliver_due()


def page_bob(scene: Scene, send, **labels: str) -> None:
    send.prometheus(scene.id, fire(0, **labels))
    engine()
    scene.pass_time(300)
    engine()


def chain(scene: Scene) -> list[tuple[str, str, bool]]:
    return [
        (page.address, page.state, page.put_off)
        for page in scene.deliveries()
        if page.member_id
    ]


def wait(scene: Scene, seconds: int) -> None:
    """Let promised messages be `seconds` nearer."""
    with in_tenant(scene.id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery SET next_at = next_at - %s * interval '1 second'",
            [seconds],
        )


def act(scene: Scene, name: str, **given) -> None:
    with in_tenant(scene.id):
        actions.DO[name](scene.id, [scene.group().pk], actor=BOB, **given)


def test_the_whole_chain_is_promised_with_its_first_message(scene, send):
    page_bob(scene, send)
    assert chain(scene) == [
        ("bob@acme.example", "pending", False),
        ("bob@home.example", "pending", True),
        ("bob@acme.example", "pending", True),
    ]
    (first, second, third) = [p for p in scene.deliveries() if p.member_id]
    assert round((second.next_at - first.next_at).total_seconds()) == 300
    assert round((third.next_at - first.next_at).total_seconds()) == 600


def test_later_steps_leave_at_their_time_and_not_before(scene, send):
    page_bob(scene, send)
    deliver()
    states = lambda: [state for _address, state, _later in chain(scene)]  # noqa: E731
    assert states() == ["sent", "pending", "pending"]
    wait(scene, 300)
    deliver()
    assert states() == ["sent", "sent", "pending"]
    wait(scene, 300)
    deliver()
    assert states() == ["sent", "sent", "sent"]


@pytest.mark.parametrize(
    ("act_name", "given"),
    [("acknowledge", {}), ("snooze", {"seconds": 3600}), ("resolve", {})],
)
def test_an_act_cancels_the_steps_to_come(scene, send, act_name, given):
    page_bob(scene, send)
    deliver()
    act(scene, act_name, **given)
    assert [state for _a, state, _l in chain(scene)] == [
        "sent",
        "cancelled",
        "cancelled",
    ]


def test_the_sources_end_cancels_the_steps_to_come(scene, send):
    page_bob(scene, send)
    deliver()
    send.prometheus(scene.id, over(5))
    engine()
    assert [s for _a, s, _l in chain(scene)] == ["sent", "cancelled", "cancelled"]


def test_whoever_was_not_told_yet_is_not_told_that_it_is_over(scene, send):
    page_bob(scene, send)
    deliver()
    act(scene, "acknowledge")
    told = [reply.address for reply in scene.deliveries("reply") if reply.member_id]
    assert told == ["bob@acme.example"]


def test_news_for_who_was_told_does_not_wait_for_a_later_step(scene, send):
    """The last step goes to the place of the first; its time is far off."""
    page_bob(scene, send)
    deliver()
    act(scene, "assign", member_id=scene.acme.members["bob"].pk)
    act(scene, "resolve")
    deliver()
    mine = [r for r in scene.deliveries("reply") if r.member_id]
    assert [(r.address, r.state) for r in mine] == [("bob@acme.example", "sent")]


def test_news_pass_a_later_page_that_still_waits_in_their_lane(scene, send):
    page_bob(scene, send)
    deliver()
    with in_tenant(scene.id):
        first = next(p for p in scene.deliveries() if p.member_id)
        first.pk, first.idem, first.kind = None, "news", "reply"
        first.state, first.next_at, first.fence = "pending", first.created_at, 0
        first.attempts = 0
        first.save(force_insert=True)
    deliver()
    assert [r.state for r in scene.deliveries("reply") if r.idem == "news"] == ["sent"]


def test_a_page_taken_up_before_the_acknowledgement_does_not_leave(scene, send):
    page_bob(scene, send)
    connection.close()
    with login_as("engine"):
        leases = claiming.claim(20)
    act(scene, "acknowledge")
    with login_as("engine"):
        for lease in leases:
            delivery.work(lease)
    assert {state for _a, state, _l in chain(scene)} == {"cancelled"}
    assert {page.error for page in scene.deliveries()} >= {"acknowledged"}


def test_a_page_that_may_have_arrived_is_not_said_again_to_who_has_it_in_hand(
    scene, send
):
    """Nor is it cancelled, which would hide that there may be a first."""
    page_bob(scene, send)
    connection.close()
    with login_as("engine"):
        claiming.claim(20)
        with in_tenant(scene.id), connection.cursor() as cursor:
            cursor.execute("UPDATE delivery SET lease_until = now() - interval '1 s'")
    act(scene, "acknowledge")
    deliver()
    assert ("bob@acme.example", "ambiguous", False) in chain(scene)
    assert all(page.attempts < 2 for page in scene.deliveries())


def test_a_later_step_waits_while_its_group_is_quiet(scene, send, monkeypatch):
    from escalation import holding

    page_bob(scene, send)
    deliver()
    quiet: dict[UUID, str] = {scene.group().pk: "silenced"}
    monkeypatch.setattr(holding, "why_quiet", lambda _tenant, _groups: quiet)
    wait(scene, 300)
    deliver()
    (_first, second, _third) = [p for p in scene.deliveries() if p.member_id]
    assert (second.state, second.error, second.attempts) == ("pending", "silenced", 0)
    quiet.clear()
    wait(scene, 300)
    deliver()
    assert chain(scene)[1][1] == "sent"


def test_a_later_step_tells_what_is_known_by_then(scene, send):
    page_bob(scene, send)
    deliver()
    send.prometheus(scene.id, fire(0, instance="2"))
    engine()
    wait(scene, 300)
    deliver()
    (_first, second, _third) = [p for p in scene.deliveries() if p.member_id]
    assert second.message["alert_count"] == 2


def test_withdrawing_the_acknowledgement_begins_the_chain_anew(scene, send):
    page_bob(scene, send)
    deliver()
    act(scene, "acknowledge")
    act(scene, "unacknowledge")
    engine()
    scene.pass_time(300)
    engine()
    assert [state for _a, state, _l in chain(scene)] == [
        "sent",
        "cancelled",
        "cancelled",
        "pending",
        "pending",
        "pending",
    ]


def test_in_quiet_hours_what_is_not_critical_waits_for_the_morning(scene, send):
    with in_tenant(scene.id):
        QuietHours.objects.create(
            tenant_id=scene.id,
            member=scene.acme.members["bob"],
            days=every_day(),
            begins="00:00",
            ends="23:59",
        )
    page_bob(scene, send, severity="warning")
    assert {later for _address, _state, later in chain(scene)} == {True}
    deliver()
    assert {state for _address, state, _later in chain(scene)} == {"pending"}
    act(scene, "resolve")
    send.prometheus(scene.id, fire(10, severity="critical"))
    engine()
    scene.pass_time(300)
    engine()
    assert ("bob@acme.example", "pending", False) in chain(scene)


def test_of_a_step_that_breaks_off_no_part_of_the_chain_is_left(
    scene, send, monkeypatch
):
    """All of it is written in the transaction that does the step, once."""
    send.prometheus(scene.id, fire(0))
    engine()
    scene.pass_time(300)
    real = lifecycle.change_groups

    def break_off(*_given, **_named):
        raise RuntimeError("killed here")

    monkeypatch.setattr(lifecycle, "change_groups", break_off)
    engine()
    assert chain(scene) == []
    monkeypatch.setattr(lifecycle, "change_groups", real)
    scene.pass_time(10)
    engine()
    assert [state for _a, state, _l in chain(scene)] == ["pending"] * 3
    with in_tenant(scene.id):
        assert len({page.idem for page in scene.deliveries()}) == 4
