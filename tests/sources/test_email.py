"""Mails, as listeners and providers tell them."""

import pytest

from tests.sources import reading

MAILS = {
    "ours": {
        "from": "Monit <M@x.example>",
        "subject": "Re: ALERT: disk is full",
        "text": "a",
    },
    "mailgun": {"sender": "m@x.example", "subject": "disk is full", "body-plain": "a"},
    "postmark": {"From": "m@x.example", "Subject": "disk is full", "TextBody": "a"},
    "sendgrid": {"from": "m@x.example", "subject": "disk is full", "html": "<p>a</p>"},
}


@pytest.mark.parametrize("provider", MAILS)
def test_every_providers_mail_is_the_same_alert(provider):
    found = reading.event("email", MAILS[provider])
    assert found.key == "m@x.example|disk is full"
    assert found.annotations["description"] == "a"
    assert found.firing


def test_a_subject_that_says_recovered_closes_it():
    over = MAILS["ours"] | {"subject": "RECOVERED: disk is full"}
    found = reading.event("email", over)
    assert not found.firing
    assert found.key == reading.event("email", MAILS["ours"]).key


def test_words_give_the_severity_and_the_link():
    mail = MAILS["ours"] | {
        "subject": "CRITICAL: disk is full",
        "text": "see https://wiki.example/disk.",
    }
    found = reading.event("email", mail)
    assert found.severity == 5
    assert found.link == "https://wiki.example/disk"
