"""Can anybody but us make a link that does something?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertcenter.common.logs import without_tokens
from notifications import signing
from notifications.channels.base import Parcel
from tests.notifications.scene import a_message, a_parcel


def to_bob(**changes: Any) -> Parcel:
    given = {"channel_kind": "email", "address": "bob@acme.example"} | changes
    return a_parcel("page", **given)


def token_of(parcel: Parcel, act: str = "acknowledge") -> str:
    return signing.act_url(parcel, act).rpartition("/")[2]


def test_there_is_a_link_for_each_act_that_the_message_offers(settings):
    settings.BASE_URL = "https://alerts.example"
    links = signing.act_links(to_bob(language="de"))
    assert [act for act, _label, _url in links] == ["acknowledge", "resolve", "snooze"]
    assert links[0][1] == "Übernehmen"
    assert all(url.startswith("https://alerts.example/a/") for *_, url in links)
    # Also a text message has room for one.
    assert max(len(url) for *_, url in links) < 160


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "test"},
        {"message": a_message(actions=())},
        {"message": replace(a_message(), group_id="")},
        {"channel_id": None},
    ],
)
def test_what_has_no_group_or_no_reader_has_no_links(changes):
    parcel = replace(to_bob(), **changes)
    assert signing.act_links(parcel) == []


def test_a_link_says_who_does_what_where_and_until_when():
    member = uuid4()
    parcel = to_bob(member_id=member)
    link = signing.read_act(token_of(parcel, "resolve"))
    assert link.tenant_id == parcel.tenant_id
    assert str(link.group_id) == parcel.message.group_id
    assert (link.act, link.member_id, link.channel_id) == ("resolve", member, None)
    assert abs(link.expires_at - time.time() - signing.LIFE.total_seconds()) < 5
    assert not link.expired


def test_a_channels_link_is_bound_to_channel_and_address_and_shows_neither_name():
    parcel = to_bob()
    token = token_of(parcel)
    link = signing.read_act(token)
    assert (link.member_id, link.channel_id) == (None, parcel.channel_id)
    assert link.mark == signing.address_mark("Bob@Acme.example")
    assert link.mark != signing.address_mark("eve@acme.example")
    assert "bob" not in token


def test_a_link_expires(monkeypatch):
    token = token_of(to_bob())
    later = time.time() + signing.LIFE.total_seconds() + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert signing.read_act(token).expired


def test_no_changed_character_passes():
    token = token_of(to_bob())
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(signing.BadLink):
            signing.read_act(token[:at] + other + token[at + 1 :])


@given(st.text(max_size=200))
def test_no_other_text_passes(text):
    with pytest.raises(signing.BadLink):
        signing.read_act(text)


@pytest.mark.parametrize("tail", ["=", "==", "A", "\n", "%3D"])
def test_the_same_bytes_in_other_words_do_not_pass(tail):
    with pytest.raises(signing.BadLink):
        signing.read_act(token_of(to_bob()) + tail)


def test_a_token_for_one_purpose_is_none_for_another():
    parcel = to_bob()
    tokens = {
        signing.read_act: signing.act_url(parcel, "resolve"),
        signing.read_subscription: signing.subscription_url(parcel),
        signing.read_opened: signing.opened_url(parcel),
    }
    for read in tokens:
        for other, url in tokens.items():
            token = url.rpartition("/")[2].removesuffix(".gif")
            if read is other:
                read(token)
            else:
                with pytest.raises(signing.BadLink):
                    read(token)


def test_another_installations_key_signs_nothing_and_an_old_one_still_does(settings):
    token = token_of(to_bob())
    settings.SECRET_KEY, before = "another-key-of-fifty-characters", settings.SECRET_KEY
    with pytest.raises(signing.BadLink):
        signing.read_act(token)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert signing.read_act(token).act == "acknowledge"


def test_the_longest_address_fits_into_a_link():
    address = "b" * 64 + "@" + "a" * 251 + ".com"
    parcel = to_bob(address=address)
    token = signing.subscription_url(parcel).rpartition("/")[2]
    read = signing.read_subscription(token)
    assert (read.tenant_id, read.member_id, read.address) == (
        parcel.tenant_id,
        None,
        address,
    )


def test_no_log_line_holds_a_token():
    for url in (
        signing.act_url(to_bob(), "resolve"),
        signing.subscription_url(to_bob()),
        signing.opened_url(to_bob()),
    ):
        path = "/" + url.split("/", 3)[3]
        for said in (f"Not Found: {path}", f'Bad: "{url}"'):
            assert path.split("/")[2].removesuffix(".gif") not in without_tokens(said)
