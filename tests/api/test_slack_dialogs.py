"""Do menus and forms in Slack do what they say, for those who may?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alertcenter.alerts.models import Group, Silence, Transition
from escalation.models import DueStep, Run
from notifications.models import Channel, Contact, Delivery
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import call
from tests.api.slack_scene import (  # the fixtures fake, group and card
    URL,
    _card,  # noqa: F401
    _fake,  # noqa: F401
    _group,  # noqa: F401
    add_alert,
    choose,
    deliver,
    heard,
    opened,
    option,
    send,
    submit,
    text,
)
from tests.api.test_slack import (
    SECRET,
    answers,
    inbox,
    make_contact,
    run_engine,
    state,
)
from tests.cast import Cast
from tests.fakes.slack import view_is_wrong

pytestmark = pytest.mark.django_db(transaction=True)

# --- menus ---


def test_a_card_offers_what_else_can_be_done(card):
    menus = card.menus
    assert list(menus) == ["assign", "more"]
    values = [option["value"] for option in menus["more"]["options"]]
    assert values == ["escalate", "respond", "note", "silence", "lasting"]


def test_an_acknowledged_group_offers_unacknowledge_and_no_escalation(
    acme, group, fake, card
):
    send(fake.press(card, "acknowledge", "UBOB", SECRET))
    run_engine()
    deliver()
    assert "unacknowledge" in card.buttons
    values = [option["value"] for option in card.menus["more"]["options"]]
    assert "escalate" not in values
    send(fake.press(card, "unacknowledge", "UBOB", SECRET))
    run_engine()
    assert state(acme, group) == "firing"


def test_a_group_is_assigned_to_whom_a_person_chooses(acme, group, fake, card):
    choose(fake, card, "UALICE", menu="assign")
    run_engine()
    with in_tenant(acme.id):
        assert Group.objects.get(pk=group.pk).assignee == acme.members["alice"]
        assert Audit.objects.get(action="group.assigned").actor_label == "Bob"


def test_nobody_is_assigned_who_belongs_to_no_member(acme, globex, group, fake, card):
    make_contact(globex, "charlie", "UCHARLIE")
    choose(fake, card, "UCHARLIE", menu="assign")
    assert heard(acme, fake) == ["The one you chose belongs to no member here."]


def test_escalate_now_does_the_waiting_step(acme, group, fake, card):
    with in_tenant(acme.id):
        steps = {"steps": [{"kind": "channel", "who": "#ops"}]}
        run = Run.objects.create(
            tenant_id=acme.id, group_id=group.pk, policy_name="p", snapshot=steps
        )
        later = timezone.now() + timedelta(hours=1)
        DueStep.objects.create(
            tenant_id=acme.id, run=run, group_id=group.pk, position=0, due_at=later
        )
    choose(fake, card, "escalate")
    run_engine()
    with in_tenant(acme.id):
        assert DueStep.objects.get().due_at <= timezone.now()
        assert Audit.objects.filter(action="group.escalated").exists()
    # A double click: the next step must not come for it, too.
    choose(fake, card, "escalate")
    assert heard(acme, fake) == ["#1 has changed meanwhile; nothing was done."]
    with in_tenant(acme.id):
        assert Audit.objects.filter(action="group.escalated").count() == 1


def test_where_no_step_waits_the_person_is_told(acme, group, fake, card):
    choose(fake, card, "escalate")
    assert heard(acme, fake) == ["#1: no step of its policy is waiting."]


# --- a note ---


def test_a_note_is_written_in_a_form_and_told_in_the_thread(acme, group, fake, card):
    view = opened(fake, card, "note")
    assert not view_is_wrong(view)
    assert view["title"]["text"] == "Add a note #1"
    assert submit(fake, view, text=text("replaced <!channel> disk")) == {}
    with in_tenant(acme.id):
        (row,) = Transition.objects.filter(kind="noted")
        assert Audit.objects.get(action="group.noted").actor_label == "Bob"
    assert (row.actor_label, row.data["text"]) == ("Bob", "replaced <!channel> disk")
    deliver()
    said = [line["text"] for line in card.replies]
    assert said == ["Bob: replaced &lt;!channel&gt; disk"]


def test_an_empty_note_is_refused_in_its_field(acme, group, fake, card):
    view = opened(fake, card, "note")
    answer = submit(fake, view, text=text("  "))
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == ["text"]


def test_a_form_sent_off_twice_acts_once(acme, group, fake, card):
    view = opened(fake, card, "note")
    signed = fake.submit(view, {"text": text("once")}, "UBOB", SECRET)
    assert send(signed).body == b""
    assert send(signed).body == b""
    assert run_engine() == 0
    with in_tenant(acme.id):
        assert Transition.objects.filter(kind="noted").count() == 1


# --- a responder ---


def test_a_responder_is_paged_about_the_group(acme, group, fake, card):
    view = opened(fake, card, "respond")
    assert submit(fake, view, who={"selected_user": "UVERA"}) == {}
    with in_tenant(acme.id):
        page = Delivery.objects.get(kind="page", address="UVERA")
    assert page.group_id == group.pk
    deliver()
    assert [line["text"] for line in card.replies] == ["Notified: Vera"]
    assert fake.messages[-1].channel == "UVERA"


def test_a_stranger_cannot_be_called(acme, group, fake, card):
    view = opened(fake, card, "respond")
    answer = submit(fake, view, who={"selected_user": "UNOBODY"})
    assert list(answer["errors"]) == ["who"]


# --- a longer snooze ---


def test_a_group_sleeps_as_long_as_chosen(acme, group, fake, card):
    view = opened(fake, card, "lasting")
    assert submit(fake, view, lasting=option("4h")) == {}
    with in_tenant(acme.id):
        row = Group.objects.get(pk=group.pk)
    assert row.snooze_until is not None
    hours = (row.snooze_until - timezone.now()).total_seconds() / 3600
    assert row.state == "snoozed"
    assert 3.9 < hours < 4.1


def test_an_option_that_was_not_offered_is_refused(acme, group, fake, card):
    view = opened(fake, card, "lasting")
    answer = submit(fake, view, lasting=option("for ever"))
    assert list(answer["errors"]) == ["lasting"]
    assert state(acme, group) == "firing"


# --- a silence ---


def conditions(view: dict[str, Any]) -> str:
    return str(view["blocks"][0]["element"]["initial_value"])


def preview(view: dict[str, Any]) -> str:
    return str(view["blocks"][1]["text"]["text"])


def others(cast: Cast, count: int) -> None:
    for number in range(count):
        add_alert(cast, None, env="production", host=f"web-{number}")


def test_the_form_begins_with_what_the_alerts_have_in_common(acme, group, fake, card):
    others(acme, 4)
    view = opened(fake, card, "silence")
    assert not view_is_wrong(view)
    assert 'env="staging"' in conditions(view)
    assert "host" not in conditions(view)
    assert preview(view) == "Mutes 2 now, 0 in the last 7 days."


def test_the_preview_follows_what_is_written(acme, group, fake, card):
    others(acme, 3)
    view = opened(fake, card, "silence")
    narrower = {"matchers": text('host="db-1"'), "comment": text("why not")}
    send(fake.type_into(view, narrower, "UBOB", SECRET))
    drawn = fake.views[-1]
    assert preview(drawn) == "Mutes 1 now, 0 in the last 7 days."
    assert conditions(drawn) == 'host="db-1"'
    assert drawn["blocks"][3]["element"]["initial_value"] == "why not"
    assert inbox(acme) == []  # nothing to be done later


def test_a_condition_that_cannot_be_read_is_explained_while_it_is_written(
    acme, group, fake, card
):
    view = opened(fake, card, "silence")
    send(fake.type_into(view, {"matchers": text("<!here")}, "UBOB", SECRET))
    assert "condition" in preview(fake.views[-1])
    assert "<!" not in preview(fake.views[-1])


def test_a_silence_is_kept(acme, group, fake, card):
    others(acme, 4)
    view = opened(fake, card, "silence")
    answer = submit(fake, view, comment=text("upgrade"), lasting=option("4h"))
    assert answer["response_action"] == "update"
    assert "Silenced until" in answer["view"]["blocks"][0]["text"]["text"]
    assert not view_is_wrong(answer["view"])
    with in_tenant(acme.id):
        (row,) = Silence.objects.all()
    assert 'env="staging"' in row.matchers
    assert (row.comment, row.created_by) == ("upgrade", "Bob")


def test_a_silence_wants_a_reason(acme, group, fake, card):
    answer = submit(fake, opened(fake, card, "silence"))
    assert list(answer["errors"]) == ["comment"]


def test_a_broad_silence_is_asked_about_first(acme, group, fake, card):
    for number in range(6):
        add_alert(acme, None, env="staging", host=f"x-{number}")
    view = opened(fake, card, "silence")
    assert view["blocks"][-1]["block_id"] == "confirm"
    answer = submit(fake, view, comment=text("all of it"))
    assert list(answer["errors"]) == ["confirm"]
    with in_tenant(acme.id):
        assert not Silence.objects.exists()
    sure = {"selected_options": [{"value": "1"}]}
    answer = submit(fake, view, comment=text("all of it"), confirm=sure)
    assert answer["response_action"] == "update"
    with in_tenant(acme.id):
        assert Silence.objects.count() == 1


def test_one_that_grew_broad_meanwhile_is_asked_about_in_a_new_form(
    acme, group, fake, card
):
    others(acme, 4)
    view = opened(fake, card, "silence")
    for number in range(6):
        add_alert(acme, None, env="staging", host=f"x-{number}")
    answer = submit(fake, view, comment=text("upgrade"))
    assert answer["response_action"] == "update"
    assert answer["view"]["blocks"][-1]["block_id"] == "confirm"
    assert not view_is_wrong(answer["view"])


# --- who may not, and what goes wrong ---


@pytest.mark.parametrize("act", ["note", "silence", "respond", "lasting", "escalate"])
def test_a_viewer_gets_no_form_but_a_word_nobody_else_sees(
    act, acme, group, fake, card
):
    choose(fake, card, act, "UVERA")
    assert fake.views == []
    assert heard(acme, fake) == ["Your role does not allow this."]
    assert fake.answers[0]["response_type"] == "ephemeral"


def test_a_stranger_gets_a_link_to_connect(acme, group, fake, card):
    choose(fake, card, "note", "UNOBODY")
    assert fake.views == []
    assert "/slack/connect/" in heard(acme, fake)[0]


def test_the_role_is_asked_again_when_the_form_is_sent_off(acme, group, fake, card):
    view = opened(fake, card, "note")
    with in_tenant(acme.id):
        acme.members["bob"].role = "viewer"
        acme.members["bob"].save()
    answer = submit(fake, view, text=text("too late"))
    assert "role" in answer["view"]["blocks"][0]["text"]["text"]
    with in_tenant(acme.id):
        assert not Transition.objects.filter(kind="noted").exists()


def test_a_form_about_another_tenants_group_finds_nothing(
    acme, globex, group, fake, card
):
    """Globex's own Slack signs, and names a group of acme's."""
    with in_tenant(globex.id):
        Channel.objects.create(
            tenant_id=globex.id,
            kind="slack",
            slug="ops",
            name="#ops",
            settings={"team_id": "T2", "app_id": "A1", "api_url": fake.url},
            secret=json.dumps({"bot_token": "x", "signing_secret": "globex"}),
        )
        Contact.objects.create(
            tenant_id=globex.id,
            member=globex.members["charlie"],
            kind="slack",
            address="UBOB",
        )
    view = opened(fake, card, "note")
    body, headers = fake.submit(view, {"text": text("mine")}, "UBOB", "globex")
    assert call("POST", URL, body, headers).status == 401  # not acme's secret
    body, headers = fake.submit(view, {"text": text("x")}, "UBOB", "globex", "T2")
    told = call("POST", URL, body, headers).json["view"]["blocks"][0]["text"]["text"]
    assert told == "This group no longer exists."
    with in_tenant(acme.id):
        assert not Transition.objects.filter(kind="noted").exists()


def test_where_slack_does_not_show_the_form_the_person_is_told(acme, group, fake, card):
    fake.ok_false("expired_trigger_id")
    choose(fake, card, "note")
    assert heard(acme, fake) == ["Slack did not show the form. Please press again."]


def test_a_form_about_what_is_over_is_not_shown(acme, group, fake, card):
    send(fake.press(card, "resolve", "UALICE", SECRET))
    run_engine()
    choose(fake, card, "note")
    assert fake.views == []
    assert "#1 is already resolved." in heard(acme, fake)


def test_an_unsigned_form_is_not_believed(acme, group, fake, card):
    view = opened(fake, card, "note")
    body, headers = fake.submit(view, {"text": text("x")}, "UBOB", "guess")
    assert call("POST", URL, body, headers).status == 401
    assert answers(acme) == []
