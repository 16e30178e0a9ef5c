"""Do menus, forms and telephones of the outbox act, by the vendors' own callbacks?

Everything here travels over HTTP: the outbox calls our endpoints, which call the
outbox's Slack.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now
from django.test import Client

from alertcenter.alerts.models import Group, Silence, Transition
from alertcenter.api.slack import process_inbox
from alertcenter.dashboard.simulation import slack_server
from escalation.messages import message_for
from notifications import outbox, parcels
from notifications.channels import block_kit, sms, voice
from notifications.models import Channel, Contact, Delivery, SimulatedMessage
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.conftest import login_as
from tests.dashboard.scene import make_group
from tests.notifications.scene import a_parcel

pytestmark = pytest.mark.django_db(transaction=True)

BOB = "+4915112345678"


@pytest.fixture(autouse=True)
def _served(settings, live_server) -> None:
    settings.SIMULATION = True
    settings.PORT = int(live_server.url.rpartition(":")[2])


class Scene:
    """Acme in simulation: a group, its card in Slack, and bob in front of it."""

    def __init__(self, acme: Cast) -> None:
        self.acme, self.browser = acme, Client()
        self.browser.force_login(acme.user("bob"))
        bob = acme.members["bob"]
        with in_tenant(acme.id):
            self.slack = Channel(tenant_id=acme.id, kind="slack", slug="o", name="#o")
            self.slack.settings = {"channel": "#o", "team_id": "T1", "app_id": "A1"}
            token = f"{slack_server.TOKEN}{self.slack.pk}"
            self.slack.secret = json.dumps({"bot_token": token, "signing_secret": "s"})
            self.slack.save()
            given = {"tenant_id": acme.id, "member": bob}
            Contact.objects.create(**given, kind="slack", address="UBOB")
            Contact.objects.create(**given, kind="sms", address=BOB, verified_at=Now())
            Contact.objects.create(
                **given, kind="voice", address=BOB, verified_at=Now()
            )
            self.group = make_group(acme.id, title="Disks are full")
            self.message = message_for(self.group)

    def card(self) -> SimulatedMessage:
        with in_tenant(self.acme.id):
            return SimulatedMessage.objects.create(
                tenant_id=self.acme.id,
                kind="slack",
                channel_id=self.slack.pk,
                address="#o",
                ts="1700000000.000001",
                payload=block_kit.page(a_parcel(message=self.message)),
            )

    def drawn(self) -> dict[str, Any]:
        found = self.browser.get("/outbox/messages/").json()["cards"]
        card: dict[str, Any] = found[0]
        return card

    def choose(self, action_id: str, value: str, user: str = "UBOB") -> dict[str, Any]:
        """Choose from one of the card's menus as the browser does."""
        number = self.card().pk
        (block,) = [b for b in self.drawn()["blocks"] if b["type"] == "actions"]
        (menu,) = [m for m in block["menus"] if m["action_id"] == action_id]
        given = {"message": number, "type": menu["type"], "action_id": action_id}
        given |= {"value": value, "block_id": block["block_id"], "user": user}
        answer: dict[str, Any] = self.browser.post("/outbox/press/", given).json()
        return answer

    def phone(self, kind: str, module: Any) -> SimulatedMessage:
        """Let a page lie in the outbox."""
        made, secret = module.made_up(UUID(int=7))
        with in_tenant(self.acme.id):
            channel = Channel.objects.create(
                tenant_id=self.acme.id, kind=kind, slug=kind, name=kind,
                settings=made, secret=json.dumps(secret),
            )  # fmt: skip
            entry = outbox.Entry(
                idem="1",
                message=self.message,
                channel_id=channel.pk,
                channel_kind=kind,
                member_id=self.acme.members["bob"].pk,
                address=BOB,
                group_id=self.group.pk,
            )
            (pk,) = outbox.put(self.acme.id, [entry])
            parcel = parcels.prepare(pk, in_doubt=False)
        module.send(parcel)
        with in_tenant(self.acme.id):
            Delivery.objects.filter(pk=pk).update(state="sent", sent_at=Now())
            return SimulatedMessage.objects.get(ts=str(pk))

    def state(self) -> str:
        with in_tenant(self.acme.id):
            return Group.objects.get(pk=self.group.pk).state


@pytest.fixture
def scene(acme: Cast) -> Scene:
    return Scene(acme)


# --- menus and forms ---


def test_the_menus_of_a_card_are_drawn(scene):
    scene.card()
    (block,) = [b for b in scene.drawn()["blocks"] if b["type"] == "actions"]
    menus = {menu["action_id"]: menu for menu in block["menus"]}
    assert menus["assign"]["type"] == "users_select"
    offered = [one["value"] for one in menus["more"]["options"]]
    assert {"note", "silence", "lasting"} <= set(offered)


def test_snoozing_by_the_menu_opens_a_form_that_snoozes(scene):
    answer = scene.choose("more", "lasting")
    assert answer["status"] == 200
    page = scene.browser.get(answer["form"]).content.decode()
    assert "Snooze #" in page
    assert "<option" in page
    done = scene.browser.post(answer["form"], {"lasting": "1h", "submit": "1"})
    assert (done.status_code, done.url) == (302, "/outbox/")
    assert scene.state() == "snoozed"


def test_a_note_is_written_by_its_form(scene):
    form = scene.choose("more", "note")["form"]
    wrong = scene.browser.post(form, {"text": "  ", "submit": "1"})
    assert "Write something." in wrong.content.decode()
    scene.browser.post(form, {"text": "looking <b>now</b>", "submit": "1"})
    with in_tenant(scene.acme.id):
        (note,) = Transition.objects.filter(kind="noted")
    assert "looking <b>now</b>" in json.dumps(note.data)


def test_a_silence_is_previewed_and_kept_by_its_form(scene):
    form = scene.choose("more", "silence")["form"]
    given = {"matchers": 'alertname="Nothing"', "lasting": "1h", "comment": "<i>"}
    again = scene.browser.post(form, given | {"redraw": "1"}).content.decode()
    assert "alertname=&quot;Nothing&quot;" in again
    assert "&lt;i&gt;" in again
    with in_tenant(scene.acme.id):
        assert not Silence.objects.exists()
    told = scene.browser.post(form, given | {"submit": "1"})
    assert "Silenced until" in told.content.decode()
    with in_tenant(scene.acme.id):
        assert Silence.objects.get().comment == "<i>"


def test_assigning_by_the_menu_goes_through_the_inbox(scene):
    answer = scene.choose("assign", "UBOB")
    assert (answer["status"], answer["form"]) == (200, "")
    with login_as("engine"):
        process_inbox()
    with in_tenant(scene.acme.id):
        group = Group.objects.get(pk=scene.group.pk)
        assert group.assignee == scene.acme.members["bob"]


def test_who_may_not_act_is_shown_no_form(scene):
    assert scene.choose("more", "note", user="USTRANGER")["form"] == ""
    with in_tenant(scene.acme.id):
        kept = SimulatedMessage.objects.filter(thread_ts__startswith="trigger:")
        assert not kept.exists()


def test_a_form_is_its_tenants(scene, globex):
    form = scene.choose("more", "note")["form"]
    other = Client()
    other.force_login(globex.user("charlie"))
    assert other.get(form).status_code == 404
    assert other.post(form, {"text": "x"}).status_code == 404


def test_a_viewer_sends_no_form(scene, acme):
    form = scene.choose("more", "note")["form"]
    vera = Client()
    vera.force_login(acme.user("vera"))
    assert vera.post(form, {"text": "x"}).status_code == 403


def test_a_form_opens_once_and_only_by_its_trigger(scene):
    token = f"{slack_server.TOKEN}{scene.slack.pk}"
    view = {"type": "modal", "blocks": [{"type": "divider"}]}
    answer = Client().post(
        f"/outbox/slack/{scene.acme.id}/api/views.open",
        {"trigger_id": "trigger:guess", "view": view},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.json() == {"ok": False, "error": "invalid_trigger_id"}


# --- telephones ---


def test_a_text_message_is_answered_by_its_buttons(scene):
    row = scene.phone("sms", sms)
    acts = dict(scene.drawn()["acts"])
    number = scene.group.number
    assert acts[f"ACK {number}"] == f"Reply ACK {number}"
    given = {"message": row.pk, "value": f"ACK {number}"}
    answer = scene.browser.post("/outbox/phone/", given).json()
    assert answer["status"] == 200
    assert str(number) in answer["answer"]
    assert scene.state() == "acknowledged"


def test_a_key_of_a_call_acts(scene):
    row = scene.phone("voice", voice)
    acts = dict(scene.drawn()["acts"])
    assert set(acts) == {"1", "6", "9"} or set(acts) == {"4", "6", "9"}
    given = {"message": row.pk, "value": "6"}
    answer = scene.browser.post("/outbox/phone/", given).json()
    assert answer["status"] == 200
    assert answer["answer"]
    assert scene.state() == "resolved"


def test_a_viewer_and_another_tenant_answer_no_telephone(scene, acme, globex):
    row = scene.phone("sms", sms)
    for user, status in ((acme.user("vera"), 403), (globex.user("charlie"), 404)):
        client = Client()
        client.force_login(user)
        given = {"message": row.pk, "value": f"ACK {scene.group.number}"}
        assert client.post("/outbox/phone/", given).status_code == status
    assert scene.state() == "firing"
