"""What is heard on the telephone, and what each of Twilio's refusals means."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from twilio.twiml.voice_response import Gather, Hangup, VoiceResponse

from notifications import callbacks, rendering
from notifications.channels import phones, twiml, voice
from notifications.channels.base import DeliveryError, Parcel
from notifications.models import SimulatedMessage
from notifications.samples import sample
from tenants.rls import in_tenant
from tests.fakes.twilio import FROM, FakeTwilio
from tests.notifications.phones import BOB, sdk, to_bob
from tests.notifications.scene import a_message, acknowledged


def call_bob(fake: FakeTwilio, kind: str = "page", **changes: Any) -> Parcel:
    given = {
        "channel_kind": "voice",
        "title": "Critical alert at Acme: Disks are full.",
    }
    return to_bob(fake, kind, **given | changes)


def failure(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        voice.send(parcel)
    return caught.value


def heard(document: str) -> list[str]:
    return [say.text or "" for say in ElementTree.fromstring(document).iter("Say")]


# --- the call ---


def test_a_page_is_a_call_that_asks_us_what_to_say(twilio, settings):
    settings.BASE_URL = "https://alerts.example"
    parcel = call_bob(twilio)
    receipt = voice.send(parcel)
    (form,) = twilio.calls
    assert (form["To"], form["From"], form["Timeout"]) == (BOB, FROM, "30")
    assert form["Url"].startswith("https://alerts.example/twilio/voice/")
    assert form["StatusCallback"].startswith("https://alerts.example/twilio/status/")
    assert form["MachineDetection"] == "DetectMessageEnd"
    place = callbacks.read(form["Url"].rpartition("/")[2])
    assert place is not None
    assert place.delivery_id == parcel.delivery_id
    assert receipt.provider_id.startswith("CA")


def test_where_twilio_cannot_reach_us_the_words_go_along(twilio):
    voice.send(call_bob(twilio, settings={"callbacks": False, "machines": False}))
    (form,) = twilio.calls
    assert "Url" not in form
    assert "MachineDetection" not in form
    assert heard(form["Twiml"])[0].startswith("Critical alert at Acme")
    assert "<Gather" not in form["Twiml"]


def test_a_test_is_said_twice_and_asks_nothing(twilio):
    voice.send(call_bob(twilio, "test", title="Test of AlertCenter", body=""))
    (form,) = twilio.calls
    assert heard(form["Twiml"])[0] == "Test of AlertCenter"
    assert 'loop="2"' in form["Twiml"]


@pytest.mark.parametrize("kind", ["update", "reply"])
def test_nobody_is_called_because_something_changed(twilio, kind):
    assert "nobody" in voice.send(call_bob(twilio, kind)).answer
    assert twilio.requests == []


@pytest.mark.parametrize("code", [21211, 21214, 21217])
def test_a_number_that_cannot_be_called_is_given_up(twilio, code):
    twilio.refuse(code, "Phone number does not appear to be valid")
    error = failure(call_bob(twilio))
    assert error.permanent
    assert isinstance(error, phones.ProviderRefused)
    assert error.of_the_number


def test_a_busy_twilio_is_waited_for(twilio):
    twilio.refuse(20429, "Too Many Requests", 429, {"Retry-After": "9"})
    assert failure(call_bob(twilio)).retry_after == 9.0


def test_a_broken_twilio_is_called_again_and_a_cut_line_is_in_doubt(twilio):
    twilio.refuse(0, "", 503)
    twilio.reset_after_read()
    first, second = failure(call_bob(twilio)), failure(call_bob(twilio))
    assert (first.permanent, first.ambiguous) == (False, False)
    assert second.ambiguous


# --- what is heard ---


def test_the_alert_is_said_and_the_keys_are_offered_twice(twilio):
    document = twiml.page(call_bob(twilio), "https://alerts.example/x")
    root = ElementTree.fromstring(document)
    assert [child.tag for child in root] == ["Gather", "Gather", "Say", "Hangup"]
    keys = "To acknowledge, press 4. To resolve, press 6. To hear this again, press 9."
    assert heard(document) == [
        "Critical alert at Acme: Disks are full. Two disks are full.",
        keys,
        keys,
        "Goodbye.",
    ]


def test_a_storm_cannot_be_resolved_by_a_key(twilio):
    message = a_message(actions=("acknowledge", "snooze"))
    assert "press 6" not in twiml.menu(call_bob(twilio, message=message))
    over = acknowledged(a_message())
    assert "press 4" not in twiml.menu(call_bob(twilio, message=over))


@pytest.mark.parametrize(
    ("language", "voice_name", "locale"),
    [
        ("en", "Polly.Joanna", "en-US"),
        ("fr", "Polly.Lea", "fr-FR"),
        ("de", "Polly.Vicki", "de-DE"),
        ("pt-br", None, "pt-BR"),
        ("fr-ca", None, "fr-CA"),
        ("xx", None, "en-US"),
    ],
)
def test_each_language_has_a_voice(twilio, language, voice_name, locale):
    document = twiml.page(call_bob(twilio, language=language), "https://x/")
    says = list(ElementTree.fromstring(document).iter("Say"))
    assert {say.get("voice") for say in says} == {voice_name}
    assert {say.get("language") for say in says} == {locale}


def test_what_a_label_holds_is_read_out_and_not_obeyed(twilio):
    evil = "</Say><Dial>+1900</Dial>&\x00\x1b https://evil.example/x"
    document = twiml.page(call_bob(twilio, title=evil, body=""), 'https://x/"><Dial>')
    root = ElementTree.fromstring(document)
    assert root.findall(".//Dial") == []
    assert heard(document)[0] == "</Say><Dial>+1900</Dial>&"


def test_nobody_listens_to_a_long_text(twilio):
    assert len(twiml.spoken(call_bob(twilio, body="word " * 1000))) < 610


@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.parametrize("kind", ["firing", "resolved", "storm", "digest"])
@pytest.mark.django_db
def test_the_built_in_words_are_sentences(acme, language, kind):
    with in_tenant(acme.id):
        said = rendering.words(
            acme.id,
            sample(kind),
            channel_kind="voice",
            language=language,
            fallback="en",
            time_zone="UTC",
        )
    assert not said.problem
    assert said.title.endswith(".")
    assert "#" not in said.title


@pytest.mark.django_db(transaction=True)
def test_in_simulation_the_outbox_shows_what_would_be_heard(acme, twilio, settings):
    settings.SIMULATION = True
    voice.send(call_bob(twilio, tenant_id=acme.id))
    assert twilio.requests == []
    with in_tenant(acme.id):
        (kept,) = SimulatedMessage.objects.all()
    assert "press 4" in json.dumps(kept.payload)


# --- Twilio's SDK is the judge ---


def test_the_sdk_writes_the_same_document(twilio):
    parcel = call_bob(twilio)
    theirs = VoiceResponse()
    for turn in (1, 2):
        gather = Gather(
            action="https://x/a", method="POST", input="dtmf", num_digits=1, timeout=10
        )
        words = {"language": "en-US", "voice": "Polly.Joanna"}
        if turn == 1:
            gather.say(twiml.spoken(parcel), **words)
        gather.say(twiml.menu(parcel), **words)
        theirs.append(gather)
    theirs.say("Goodbye.", **words)
    theirs.append(Hangup())
    ours = twiml.page(parcel, "https://x/a")
    assert ElementTree.canonicalize(ours) == ElementTree.canonicalize(str(theirs))


def test_the_sdk_calls_as_we_call(twilio):
    voice.send(call_bob(twilio))
    ours = dict(twilio.calls[0])
    made = sdk(twilio).calls.create(
        to=ours["To"],
        from_=ours["From"],
        timeout=int(ours["Timeout"]),
        machine_detection=ours["MachineDetection"],
        url=ours["Url"],
        method="POST",
        status_callback=ours["StatusCallback"],
        status_callback_method="POST",
    )
    assert twilio.calls[1] == ours
    assert made.sid == twilio.made[1]["sid"]
