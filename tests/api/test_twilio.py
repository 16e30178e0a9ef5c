"""Is Twilio believed only when it signed, and does what it says happen once?"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from xml.etree import ElementTree

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from alertcenter.alerts.models import Group, Transition
from alertcenter.api import limits, phone_texts
from alertcenter.api import twilio as callbacks_of_twilio
from alertcenter.common.buckets import Buckets
from alertcenter.common.ids import uuid7
from notifications import callbacks
from notifications.callbacks import Place
from notifications.models import Attempt, Channel, Contact, Delivery, Heard
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.fakes.twilio import ACCOUNT, FROM, TOKEN
from tests.notifications.scene import a_message

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "https://alerts.example"
BOB, VERA, NOBODY = "+4915112345678", "+4915112345679", "+4915100000000"


@pytest.fixture(autouse=True)
def _base(settings):
    settings.BASE_URL = BASE
    phone_texts.STRANGERS = Buckets(rate=1 / 3600, burst=2)


class Line:
    """Acme's number at Twilio, with bob (responder) and vera (viewer) on the phone."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.client = Client(raise_request_exception=False)
        self.counter = 0
        self.people = [m for name, m in cast.members.items() if name != "alice"]
        with in_tenant(cast.id):
            self.channels = {
                kind: Channel.objects.create(
                    tenant_id=cast.id,
                    kind=kind,
                    slug=kind,
                    name=kind,
                    settings={"account_sid": ACCOUNT, "from_number": FROM},
                    secret=json.dumps({"auth_token": TOKEN}),
                )
                for kind in ("sms", "voice")
            }
            for kind in ("sms", "voice"):
                for member, number in zip(self.people, (BOB, VERA), strict=False):
                    Contact.objects.create(
                        tenant_id=cast.id,
                        member=member,
                        kind=kind,
                        address=number,
                        verified_at=timezone.now(),
                    )

    def group(self, number: int, **changes: Any) -> Group:
        now = "2026-01-01T00:00:00Z"
        given = {"severity": 5, "title": "Disk full", "opened_at": now}
        with in_tenant(self.cast.id):
            return Group.objects.create(
                tenant_id=self.cast.id,
                number=number,
                key=f"{number:064x}",
                changed_at=now,
                **given | changes,
            )

    def delivery(self, group: Group, kind: str = "sms", **changes: Any) -> Delivery:
        message = a_message(
            group_id=str(group.pk),
            number=group.number,
            actions=changes.pop("actions", ("acknowledge", "resolve", "snooze")),
        )
        given: dict[str, Any] = {
            "idem": str(uuid7()),
            "lane": "x",
            "kind": "page",
            "channel": self.channels[kind],
            "channel_kind": kind,
            "member": self.people[0],
            "address": BOB,
            "group_id": group.pk,
            "message": message.to_json(),
            "state": "sent",
            "attempts": 1,
            "next_at": None,
            "provider_id": "SM1",
        }
        with in_tenant(self.cast.id):
            return Delivery.objects.create(tenant_id=self.cast.id, **given | changes)

    def place(self, kind: str, delivery: Delivery | None = None) -> Place:
        pk = delivery.pk if delivery else None
        return Place(self.cast.id, self.channels[kind].pk, pk)

    def post(
        self,
        what: str,
        place: Place,
        form: dict[str, Any],
        *,
        token: str = TOKEN,
        url: str = "",
        **headers: str,
    ) -> Any:
        """Call as Twilio does: the SDK signs."""
        path = f"/twilio/{what}/{callbacks.token_of(place)}"
        signed = RequestValidator(token).compute_signature(url or BASE + path, form)
        return self.client.post(
            path,
            urlencode(form, doseq=True),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signed} | headers,
        )

    def text(self, body: str, number: str = BOB, sid: str = "", **more: Any) -> str:
        """Send a text message; return what is answered."""
        self.counter += 1
        form = {"MessageSid": sid or f"SM{self.counter}", "From": number, "Body": body}
        form |= {"AccountSid": ACCOUNT, "To": FROM}
        answer = self.post("sms", self.place("sms"), form | more)
        assert answer.status_code == 200, answer.content
        return " ".join(
            m.text or "" for m in ElementTree.fromstring(answer.content).iter("Message")
        )

    def key(self, delivery: Delivery, digits: str = "", **more: Any) -> str:
        """Answer a call, or press a key; return what is said."""
        form = {"CallSid": "CA1", "To": BOB, "From": FROM, "CallStatus": "in-progress"}
        if digits:
            form["Digits"] = digits
        answer = self.post("voice", self.place("voice", delivery), form | more)
        assert answer.status_code == 200, answer.content
        root = ElementTree.fromstring(answer.content)
        return " ".join(say.text or "" for say in root.iter("Say"))

    def state(self, group: Group) -> str:
        with in_tenant(self.cast.id):
            return Group.objects.get(pk=group.pk).state

    def fate(self, delivery: Delivery, **form: str) -> None:
        kind = delivery.channel_kind
        answer = self.post("status", self.place(kind, delivery), form)
        assert answer.status_code == 200, answer.content

    def row(self, delivery: Delivery) -> Delivery:
        with in_tenant(self.cast.id):
            return Delivery.objects.get(pk=delivery.pk)

    def outcomes(self, delivery: Delivery) -> list[tuple[str, str]]:
        with in_tenant(self.cast.id):
            rows = Attempt.objects.filter(delivery_id=delivery.pk).order_by("id")
            return list(rows.values_list("outcome", "answer"))


@pytest.fixture
def line(acme: Cast) -> Line:
    return Line(acme)


# --- who is believed ---


FORM = {"MessageSid": "SM1", "From": BOB, "Body": "ACK 12"}


def test_what_twilio_did_not_sign_is_refused_and_does_nothing(line):
    group = line.group(12)
    assert line.post("sms", line.place("sms"), FORM, token="other").status_code == 403
    assert line.post("sms", line.place("sms"), FORM, token="").status_code == 403
    path = f"/twilio/sms/{callbacks.token_of(line.place('sms'))}"
    assert line.client.post(path, FORM).status_code == 403
    assert line.state(group) == "firing"
    with in_tenant(line.cast.id):
        assert not Heard.objects.exists()


def test_one_channels_wrong_token_keeps_no_other_channel_from_being_heard(line):
    """Twilio calls for all tenants from the same addresses."""
    group = line.group(12)
    line.delivery(group)
    found = [
        line.post("status", line.place("voice"), FORM, token="old").status_code
        for _ in range(limits.WRONG_KEYS + 5)
    ]
    assert (found[0], found[-1]) == (403, 429)
    assert line.post("sms", line.place("sms"), FORM).status_code == 200
    assert line.state(group) == "acknowledged"


def test_a_field_that_was_changed_or_added_is_refused(line):
    path = f"/twilio/sms/{callbacks.token_of(line.place('sms'))}"
    signed = RequestValidator(TOKEN).compute_signature(BASE + path, FORM)
    for form in (FORM | {"Body": "RESOLVE 12"}, FORM | {"Extra": "1"}):
        answer = line.client.post(
            path,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signed},
        )
        assert answer.status_code == 403


def test_an_address_that_we_did_not_make_is_not_found(line):
    for token in (
        "x",
        "a.b",
        callbacks.token_of(line.place("sms")) + "x",
        "é",
        "." * 99,
    ):
        for what in ("sms", "voice", "status"):
            assert line.client.post(f"/twilio/{what}/{token}", FORM).status_code == 404
    assert line.client.get("/twilio/sms/x").status_code == 405


def test_the_address_of_one_thing_is_not_that_of_another(line):
    """What is signed for /sms/ is not believed at /voice/."""
    path = f"/twilio/sms/{callbacks.token_of(line.place('sms'))}"
    answer = line.post("voice", line.place("sms"), FORM, url=BASE + path)
    assert answer.status_code == 403


def test_a_channel_of_another_tenant_or_kind_signs_nothing(line, globex):
    for place in (
        Place(globex.id, line.channels["sms"].pk),
        Place(line.cast.id, uuid7()),
    ):
        assert line.post("sms", place, FORM).status_code == 403
    with in_tenant(line.cast.id):
        Channel.objects.filter(kind="sms").update(kind="slack")
    assert line.post("sms", line.place("sms"), FORM).status_code == 403


def test_a_channel_without_a_token_believes_nobody(line):
    with in_tenant(line.cast.id):
        line.channels["sms"].secret = json.dumps({"key_secret": "x"})
        line.channels["sms"].save()
    assert line.post("sms", line.place("sms"), FORM, token="").status_code == 403


@pytest.mark.parametrize(
    ("known_as", "signed_for"),
    [
        ("https://alerts.example", "https://alerts.example"),
        ("https://alerts.example", "https://alerts.example:443"),
        ("https://alerts.example:443", "https://alerts.example"),
        ("https://alerts.example:8443", "https://alerts.example:8443"),
        ("https://alerts.example:8443", "https://alerts.example"),
        ("http://alerts.example", "http://alerts.example:80"),
    ],
)
def test_twilio_signs_for_our_public_address_whatever_proxies_do(
    line, settings, known_as, signed_for
):
    settings.BASE_URL = known_as  # while Django itself is called as http://testserver
    path = f"/twilio/sms/{callbacks.token_of(line.place('sms'))}"
    answer = line.post("sms", line.place("sms"), FORM, url=signed_for + path)
    assert answer.status_code == 200


def test_another_host_is_not_ours(line):
    path = f"/twilio/sms/{callbacks.token_of(line.place('sms'))}"
    evil = f"https://evil.example{path}"
    assert line.post("sms", line.place("sms"), FORM, url=evil).status_code == 403


@pytest.mark.parametrize(
    "body",
    ["", "a=", urlencode({"Body": "é ü 😀 & = + %", "From": BOB}), "b=2&b=1&b=2&a=x"],
)
def test_our_signature_is_the_sdks(body):
    form = QueryDict(body)
    pairs = parse_qsl(body, keep_blank_values=True)
    url = "https://alerts.example/twilio/sms/x?y=1"
    ours = callbacks_of_twilio.signature_of(url, pairs, TOKEN)
    assert ours == RequestValidator(TOKEN).compute_signature(url, form)
    assert RequestValidator(TOKEN).validate(url, form, ours)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a=" + b"x" * 70_000, 413),
        (b"&".join(b"a%d=1" % n for n in range(300)), 400),
        (b"Body=%00", 400),
        (b"\xff\xfe", 400),
    ],
)
def test_what_twilio_does_not_send_is_refused(line, body, status):
    path = f"/twilio/sms/{callbacks.token_of(line.place('sms'))}"
    answer = line.client.post(
        path, body, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == status


# --- text messages ---


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ("ACK", phone_texts.Wish("acknowledge")),
        ("ack 42", phone_texts.Wish("acknowledge", (42,))),
        ("Ack42", phone_texts.Wish("acknowledge", (42,))),
        (" ack  #42, 43. thanks, back in 5", phone_texts.Wish("acknowledge", (42, 43))),
        ("ACK ALL", phone_texts.Wish("acknowledge", (), True)),
        ("RESOLVE 42", phone_texts.Wish("resolve", (42,))),
        ("r 42", phone_texts.Wish("resolve", (42,))),
        ("STOP", phone_texts.Wish("stop")),
        ("start", phone_texts.Wish("start")),
        ("stop it 42", phone_texts.Wish()),
        ("please ack 42", phone_texts.Wish()),
        ("acknowledged 42", phone_texts.Wish()),
        ("42", phone_texts.Wish()),
        ("", phone_texts.Wish()),
        ("ack 99999999999999999999", phone_texts.Wish("acknowledge")),
    ],
)
def test_a_text_is_understood_or_not(body, wish):
    assert phone_texts.read(body) == wish


def test_a_member_acknowledges_and_resolves_by_text(line):
    group = line.group(42)
    assert line.text("ack 42") == "#42 acknowledged."
    with in_tenant(line.cast.id):
        row = Group.objects.get(pk=group.pk)
        assert (row.state, row.acked_by) == ("acknowledged", "Bob")
        audit = Audit.objects.get(action="group.acknowledged")
    assert audit.actor_id == str(line.cast.members["bob"].pk)
    assert line.text("ack 42") == "#42 is already acknowledged."
    assert line.text("RESOLVE 42") == "#42 resolved."
    assert line.state(group) == "resolved"
    assert line.text("RESOLVE 42") == "#42 is already resolved."


def test_the_answer_is_in_the_members_language(line):
    line.group(42)
    with in_tenant(line.cast.id):
        member = line.cast.members["bob"]
        member.language = "de"
        member.save()
    assert line.text("ack 42") != ""


def test_without_a_number_it_means_the_one_thing_the_phone_was_told_of(line):
    told, other = line.group(1), line.group(2)
    line.delivery(told)
    assert line.text("ACK") == "#1 acknowledged."
    assert line.state(other) == "firing"
    assert line.text("ACK").startswith("Nothing that this phone was told of")


def test_of_several_the_writer_chooses(line):
    first, second = line.group(1), line.group(2)
    line.delivery(first)
    line.delivery(second)
    said = line.text("ACK")
    assert "#1, #2" in said
    assert line.state(first) == line.state(second) == "firing"
    assert line.text("ACK ALL") == "#1, #2 acknowledged."


def test_what_does_not_exist_is_said(line):
    line.group(1)
    assert line.text("ACK 7") == "There is no #7."
    assert line.text("ACK 1 7") == "#1 acknowledged. There is no #7."


def test_other_words_are_answered_with_how_to(line):
    assert "ACK 12" in line.text("what?")


def test_a_viewer_may_not(line):
    group = line.group(42)
    assert line.text("ACK 42", VERA) == "Your role does not allow this."
    assert line.state(group) == "firing"


def test_an_unknown_number_is_refused_politely_and_not_for_ever(line):
    group = line.group(42)
    assert "no member here" in line.text("ACK 42", NOBODY)
    assert "no member here" in line.text("ACK 42", NOBODY)
    assert line.text("ACK 42", NOBODY) == ""
    assert line.state(group) == "firing"


def test_a_number_that_was_not_proven_is_unknown(line):
    line.group(42)
    with in_tenant(line.cast.id):
        Contact.objects.update(verified_at=None)
    assert "no member here" in line.text("ACK 42")


def test_who_left_is_unknown(line):
    line.group(42)
    with in_tenant(line.cast.id):
        member = line.cast.members["bob"]
        member.active = False
        member.save()
    assert "no member here" in line.text("ACK 42")


def test_a_number_of_another_tenant_acts_on_nothing_here(line, globex):
    theirs = Line(globex)  # where charlie has bob's number
    ours, other = line.group(42), theirs.group(42)
    assert theirs.text("ACK 42") == "#42 acknowledged."
    assert (line.state(ours), theirs.state(other)) == ("firing", "acknowledged")


def test_a_copy_of_a_text_changes_nothing_and_is_answered_the_same(line):
    group = line.group(42)
    assert line.text("ACK 42", sid="SM42") == "#42 acknowledged."
    with in_tenant(line.cast.id):
        Group.objects.filter(pk=group.pk).update(state="firing")
    assert line.text("ACK 42", sid="SM42") == "#42 acknowledged."
    assert line.state(group) == "firing"


def test_stop_and_start_are_remembered_and_left_to_twilio_to_answer(line):
    assert line.text("STOP") == ""
    with in_tenant(line.cast.id):
        stopped = Contact.objects.filter(stopped_at__isnull=False)
        assert [(c.kind, c.address) for c in stopped] == [("sms", BOB)]
        assert Audit.objects.filter(action="contact.stopped").exists()
    assert line.text("START") == ""
    with in_tenant(line.cast.id):
        assert not Contact.objects.filter(stopped_at__isnull=False).exists()


# --- calls ---


def test_a_call_says_the_alert_and_offers_keys(line):
    delivery = line.delivery(line.group(12), "voice")
    said = line.key(delivery)
    assert "Disks are full" in said
    assert "press 4" in said
    assert "press 6" in said


@pytest.mark.parametrize("key", ["4", "1"])
def test_a_key_acknowledges_as_the_one_whose_telephone_it_is(line, key):
    group = line.group(12)
    delivery = line.delivery(group, "voice", provider_id="CA1")
    assert line.key(delivery, key) == "#12 acknowledged. Goodbye."
    with in_tenant(line.cast.id):
        assert Group.objects.get(pk=group.pk).acked_by == "Bob"
    assert line.outcomes(delivery) == [("delivered", f"key {key} was pressed")]


def test_six_resolves_nine_repeats_and_others_do_nothing(line):
    group = line.group(12)
    delivery = line.delivery(group, "voice")
    assert line.key(delivery, "9").startswith("Critical alert at")
    assert line.key(delivery, "7").startswith("This key does nothing.")
    assert line.state(group) == "firing"
    assert line.key(delivery, "6") == "#12 resolved. Goodbye."
    assert line.state(group) == "resolved"


def test_what_was_not_offered_is_not_done(line):
    group = line.group(12)
    delivery = line.delivery(group, "voice", actions=("acknowledge",))
    assert line.key(delivery, "6").startswith("This key does nothing.")
    assert line.state(group) == "firing"


def test_who_answers_late_hears_what_others_did(line):
    group = line.group(12, state="acknowledged", acked_by="Alice")
    delivery = line.delivery(group, "voice")
    said = line.key(delivery)
    assert said.startswith("Alice has acknowledged this meanwhile.")
    assert "press 4" not in said
    with in_tenant(line.cast.id):
        Group.objects.filter(pk=group.pk).update(state="resolved")
    assert line.key(delivery) == "This is resolved meanwhile. Goodbye."


def test_a_copy_of_a_key_press_changes_nothing(line):
    group = line.group(12)
    delivery = line.delivery(group, "voice")
    said = line.key(delivery, "4")
    with in_tenant(line.cast.id):
        Group.objects.filter(pk=group.pk).update(state="firing")
    assert line.key(delivery, "4") == said
    assert line.state(group) == "firing"


def test_a_telephone_that_nobody_has_proven_cannot_act(line):
    group = line.group(12)
    delivery = line.delivery(group, "voice", address=NOBODY)
    assert "no member here" in line.key(delivery, "4", To=NOBODY)
    assert "no member here" in line.key(delivery, "4", To=BOB, CallSid="CA2")
    assert line.state(group) == "firing"


def test_a_call_about_nothing_ends_at_once(line):
    gone = line.delivery(line.group(12), "voice")
    with in_tenant(line.cast.id):
        Delivery.objects.filter(pk=gone.pk).delete()
    assert line.key(gone).startswith("Nothing waits for this call.")
    answer = line.post("voice", line.place("voice"), {"CallSid": "CA9"})
    assert b"Nothing waits" in answer.content


# --- what became of it ---


def test_what_arrived_is_kept_once(line):
    delivery = line.delivery(line.group(12))
    for _ in range(2):
        line.fate(delivery, MessageSid="SM1", MessageStatus="delivered")
    assert line.outcomes(delivery) == [("delivered", "delivered")]
    assert line.row(delivery).state == "sent"


def test_what_did_not_arrive_is_given_up_for_good(line):
    delivery = line.delivery(line.group(12))
    for _ in range(2):
        line.fate(
            delivery, MessageSid="SM1", MessageStatus="undelivered", ErrorCode="30003"
        )
    assert line.outcomes(delivery) == [("undelivered", "undelivered 30003")]
    row = line.row(delivery)
    assert (row.state, row.error, row.next_at) == ("dead", "undelivered 30003", None)


def test_the_timeline_tells_that_it_did_not_arrive(line):
    delivery = line.delivery(line.group(12))
    line.fate(delivery, MessageSid="SM1", MessageStatus="failed", ErrorCode="30005")
    with in_tenant(line.cast.id):
        assert Transition.objects.filter(kind="failed").exists()


def test_what_arrived_stays_so_whatever_is_said_later(line):
    delivery = line.delivery(line.group(12))
    line.fate(delivery, MessageSid="SM1", MessageStatus="delivered")
    line.fate(delivery, MessageSid="SM1", MessageStatus="failed")
    assert line.row(delivery).state == "sent"


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "", "new-word"])
def test_what_is_on_its_way_changes_nothing(line, status):
    delivery = line.delivery(line.group(12))
    line.fate(delivery, MessageSid="SM1", MessageStatus=status)
    assert line.outcomes(delivery) == []


def test_an_earlier_copy_that_was_lost_says_nothing_of_this_one(line):
    delivery = line.delivery(line.group(12), provider_id="SM2")
    line.fate(delivery, MessageSid="SM1", MessageStatus="undelivered")
    assert line.row(delivery).state == "sent"


def test_a_failure_that_is_told_before_we_wrote_down_the_sending_counts(line):
    delivery = line.delivery(line.group(12), state="leased", provider_id="", fence=3)
    line.fate(delivery, MessageSid="SM1", MessageStatus="undelivered")
    row = line.row(delivery)
    assert (row.state, row.fence) == ("dead", 4)  # who sent it is refused


def test_a_message_in_doubt_that_arrived_is_not_sent_again(line):
    delivery = line.delivery(
        line.group(12), state="ambiguous", provider_id="", next_at=timezone.now()
    )
    line.fate(delivery, MessageSid="SM1", MessageStatus="undelivered")
    assert line.row(delivery).state == "ambiguous"
    line.fate(delivery, MessageSid="SM1", MessageStatus="delivered")
    row = line.row(delivery)
    assert (row.state, row.next_at, row.provider_id) == ("sent", None, "SM1")


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_nobody_took_is_given_up(line, status):
    delivery = line.delivery(line.group(12), "voice", provider_id="CA1")
    line.fate(delivery, CallSid="CA1", CallStatus=status)
    assert line.row(delivery).state == "dead"
    assert line.outcomes(delivery) == [("undelivered", status)]


def test_a_call_that_a_person_took_arrived(line):
    delivery = line.delivery(line.group(12), "voice", provider_id="CA1")
    line.fate(delivery, CallSid="CA1", CallStatus="completed", AnsweredBy="human")
    assert line.outcomes(delivery) == [("delivered", "completed")]


def test_a_machine_is_nobody_unless_a_key_was_pressed(line):
    told, pressed = line.group(1), line.group(2)
    machine = line.delivery(told, "voice", provider_id="CA1")
    line.fate(
        machine, CallSid="CA1", CallStatus="completed", AnsweredBy="machine_end_beep"
    )
    assert line.row(machine).state == "dead"
    assert "machine" in line.row(machine).error
    person = line.delivery(pressed, "voice", provider_id="CA1")
    line.key(person, "4")
    line.fate(person, CallSid="CA1", CallStatus="completed", AnsweredBy="machine_start")
    assert line.row(person).state == "sent"


def test_a_delivery_of_another_tenant_cannot_be_named(line, globex):
    theirs = Line(globex)
    delivery = theirs.delivery(theirs.group(1))
    place = Place(line.cast.id, line.channels["sms"].pk, UUID(str(delivery.pk)))
    answer = line.post(
        "status", place, {"MessageSid": "SM1", "MessageStatus": "undelivered"}
    )
    assert answer.status_code == 200
    assert theirs.row(delivery).state == "sent"


def test_what_did_not_arrive_is_told_at_once_to_the_next_address(line):
    delivery = line.delivery(line.group(12))
    line.fate(delivery, MessageSid="SM1", MessageStatus="undelivered")
    with in_tenant(line.cast.id):
        (instead,) = Delivery.objects.filter(instead_of=delivery.pk)
    assert instead.state == "pending"
    assert (instead.member_id, instead.channel_kind) == (line.people[0].pk, "voice")


def test_what_a_second_account_signs_is_believed_too(line):
    with in_tenant(line.cast.id):
        channel = line.channels["sms"]
        held = {"auth_token": TOKEN, "second_auth_token": "t0ken-two"}
        channel.secret = json.dumps(held)
        channel.save()
    place = line.place("sms")
    codes = [
        line.post("sms", place, FORM, token=token).status_code
        for token in (TOKEN, "t0ken-two", "")
    ]
    assert codes == [200, 200, 403]
