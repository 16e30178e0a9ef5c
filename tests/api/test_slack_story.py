"""Is what people write in Slack kept, once, and what does the app show of itself?"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from alertcenter.alerts.models import Group, Transition
from alertcenter.api.slack_story import plain
from escalation import oncall
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.api.client import Answer, call
from tests.api.slack_scene import (  # the fixtures fake, group and card
    _card,  # noqa: F401
    _fake,  # noqa: F401
    _group,  # noqa: F401
    heard,
    send,
    submit,
)
from tests.api.test_slack import (
    SECRET,
    inbox,
    make_channel,
    make_contact,
    make_group,
    run_engine,
)
from tests.cast import Cast
from tests.fakes.slack import FakeMessage, FakeSlack, view_is_wrong

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/slack/events"


def tell(
    fake: FakeSlack, event: dict[str, Any], secret: str = SECRET, **more: Any
) -> Answer:
    body, headers = fake.event(event, secret, **more)
    return call("POST", URL, body, headers)


def a_reply(card: FakeMessage, text: str = "on it", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": card.channel_id,
        "channel_type": "channel",
        "user": "UBOB",
        "text": text,
        "ts": "1795226400.000200",
        "thread_ts": card.ts,
    } | more


def notes(cast: Cast) -> list[Transition]:
    with in_tenant(cast.id):
        return list(Transition.objects.filter(kind="noted").order_by("id"))


def said(cast: Cast) -> list[tuple[str, str]]:
    return [(row.actor_label, row.data["text"]) for row in notes(cast)]


class TestReplies:
    def test_a_reply_in_the_thread_is_a_note_of_the_group(
        self, acme, group, fake, card
    ):
        assert tell(fake, a_reply(card)).status == 200
        assert said(acme) == []  # answered first
        run_engine()
        assert said(acme) == [("Bob", "on it")]
        assert notes(acme)[0].group_id == group.pk
        assert fake.answers == []

    def test_a_repeated_event_is_kept_once(self, acme, group, fake, card):
        for retry in range(4):
            answer = tell(fake, a_reply(card), event_id="Ev1", retry=retry)
            assert answer.status == 200
        run_engine()
        assert len(inbox(acme)) == 1
        assert len(said(acme)) == 1

    def test_the_same_message_under_another_event_id_is_kept_once(
        self, acme, group, fake, card
    ):
        tell(fake, a_reply(card), event_id="Ev1")
        tell(fake, a_reply(card), event_id="Ev2")
        run_engine()
        assert len(said(acme)) == 1

    def test_what_a_stranger_says_is_kept_under_his_slack_name(
        self, acme, group, fake, card
    ):
        tell(fake, a_reply(card, user="UNEW"))
        run_engine()
        assert said(acme) == [("Slack: UNEW", "on it")]
        assert fake.answers == []

    @pytest.mark.parametrize(
        "more",
        [
            {"bot_id": "B1"},
            {"subtype": "message_changed"},
            {"subtype": "bot_message"},
            {"thread_ts": "1.2"},
            {"thread_ts": None},
            {"channel": "C-other"},
            {"user": None},
        ],
    )
    def test_what_is_no_reply_of_a_person_here_is_not_even_stored(
        self, more, acme, group, fake, card
    ):
        assert tell(fake, a_reply(card, **more)).status == 200
        assert inbox(acme) == []

    def test_an_unsigned_event_is_not_believed(self, acme, group, fake, card):
        assert tell(fake, a_reply(card), secret="guess").status == 401
        assert inbox(acme) == []

    def test_a_shared_app_keeps_it_where_the_thread_is(
        self, acme, globex, group, fake, card
    ):
        make_channel(globex)
        make_contact(globex, "charlie", "UBOB")  # the same account, elsewhere
        tell(fake, a_reply(card))
        run_engine()
        assert len(said(acme)) == 1
        assert notes(globex) == []

    def test_markup_is_kept_as_people_read_it(self, acme, group, fake, card):
        text = (
            "<@UBOB> see <https://x.example/a?b=1&amp;c=2|the wiki> &lt;b&gt; "
            "<!here> <#C1|ops> <mailto:a@b.example|a@b.example> <@UNEW>"
        )
        with in_tenant(acme.id):
            assert plain(acme.id, text) == (
                "@Bob see the wiki (https://x.example/a?b=1&c=2) <b> @here #ops "
                "a@b.example @UNEW"
            )


class TestShortcut:
    def message(self, **more: Any) -> dict[str, Any]:
        given = {"type": "message", "user": "UALICE", "text": "restarted", "ts": "9.1"}
        return given | more

    def use(
        self, fake: FakeSlack, message: dict[str, Any], place: str, user: str = "UBOB"
    ) -> None:
        send(fake.shortcut(message, place, user, SECRET))

    def test_a_message_of_the_thread_is_added_and_its_author_named(
        self, acme, group, fake, card
    ):
        message = self.message(thread_ts=card.ts)
        self.use(fake, message, card.channel_id)
        assert heard(acme, fake) == ["Added to the story of #1."]
        assert said(acme) == [("Bob", "Alice: restarted")]

    def test_twice_is_once(self, acme, group, fake, card):
        message = self.message(thread_ts=card.ts, user="UBOB")
        self.use(fake, message, card.channel_id)
        self.use(fake, message, card.channel_id)
        told = heard(acme, fake)
        assert told[1] == "This is part of the story already."
        assert said(acme) == [("Bob", "restarted")]

    def test_for_a_message_elsewhere_the_group_is_chosen(self, acme, group, fake, card):
        self.use(fake, self.message(), "C-elsewhere")
        view = fake.views[-1]
        assert not view_is_wrong(view)
        assert view["blocks"][0]["element"]["options"][0]["text"]["text"] == (
            "#1 Disk full"
        )
        answer = submit(fake, view)
        assert "#1" in answer["view"]["blocks"][0]["text"]["text"]
        assert said(acme) == [("Bob", "Alice: restarted")]

    def test_another_tenants_group_cannot_be_chosen(
        self, acme, globex, group, fake, card
    ):
        theirs = make_group(globex)
        self.use(fake, self.message(), "C-elsewhere")
        chosen = {"selected_option": {"value": str(theirs.pk)}}
        answer = submit(fake, fake.views[-1], group=chosen)
        assert "no longer exists" in answer["view"]["blocks"][0]["text"]["text"]
        assert notes(globex) == []

    def test_a_viewer_may_not_add(self, acme, group, fake, card):
        message = self.message(thread_ts=card.ts)
        self.use(fake, message, card.channel_id, "UVERA")
        assert heard(acme, fake) == ["Your role does not allow this."]
        assert said(acme) == []


class TestHome:
    def open(self, fake: FakeSlack, user: str, **more: Any) -> str:
        event = {"type": "app_home_opened", "user": user, "tab": "home"} | more
        assert tell(fake, event).status == 200
        view = fake.homes.get(user)
        assert view is None or not view_is_wrong(view)
        return str(view)

    def test_home_names_who_is_on_call_and_my_alerts(self, acme, group, fake, card):
        with in_tenant(acme.id):
            alice = acme.members["alice"]
            oncall.make(acme.id, "Ops <!here>", [alice], starts_on=date(2026, 1, 1))
            Group.objects.update(assignee=acme.members["bob"])
        shown = self.open(fake, "UBOB")
        assert "Alice" in shown
        assert "<!here>" not in shown
        assert "#1 Disk full" in shown
        assert "#1 Disk full" not in self.open(fake, "UVERA")

    def test_a_stranger_sees_how_to_connect_and_nothing_else(
        self, acme, group, fake, card
    ):
        shown = self.open(fake, "UNEW")
        assert "/slack/connect/" in shown
        assert "Disk full" not in shown

    def test_the_other_tab_draws_nothing(self, acme, group, fake, card):
        self.open(fake, "UBOB", tab="messages")
        assert fake.homes == {}

    def test_a_slack_that_refuses_is_no_error_here(self, acme, group, fake, card):
        fake.ok_false("not_enabled")
        self.open(fake, "UBOB")


class TestLinks:
    def share(self, fake: FakeSlack, url: str, user: str = "UBOB", **more: Any) -> None:
        event = {
            "type": "link_shared",
            "user": user,
            "channel": "C9",
            "message_ts": "5.5",
            "links": [{"domain": "x", "url": url}],
        } | more
        assert tell(fake, event).status == 200

    def test_a_link_to_a_group_says_what_it_is(self, acme, group, fake, card, settings):
        with in_tenant(acme.id):
            Group.objects.update(title="Disk <!channel> full")
        url = f"{settings.BASE_URL}/t/acme/groups/1"
        self.share(fake, url)
        (found,) = fake.unfurls
        text = found[url]["blocks"][0]["text"]["text"]
        assert "#1 Disk &lt;!channel&gt; full" in text
        assert "Firing" in text

    @pytest.mark.parametrize(
        ("url", "user"),
        [
            ("https://evil.example/t/acme/groups/1", "UBOB"),
            ("{base}/t/globex/groups/1", "UBOB"),
            ("{base}/t/acme/groups/99", "UBOB"),
            ("{base}/t/acme/groups/1/../../x", "UBOB"),
            ("{base}/t/acme/groups/1", "UNEW"),
        ],
    )
    def test_other_links_and_strangers_links_stay_bare(
        self, url, user, acme, globex, group, fake, card, settings
    ):
        make_group(globex)
        self.share(fake, url.format(base=settings.BASE_URL), user)
        assert fake.unfurls == []

    def test_a_link_still_being_written_is_named_by_its_unfurl_id(
        self, acme, group, fake, card, settings
    ):
        url = f"{settings.BASE_URL}/t/acme/groups/1"
        self.share(fake, url, unfurl_id="C1.2", source="composer", channel="COMPOSER")
        call_ = next(c for c in fake.requests if c.method == "chat.unfurl")
        assert call_.json["unfurl_id"] == "C1.2"
        assert "channel" not in call_.json


def test_a_channel_without_a_token_breaks_no_event(acme, group, fake, card, settings):
    settings.SLACK_BOT_TOKEN = ""
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="ops")
        row.secret = json.dumps({"signing_secret": SECRET})
        row.save()
    event = {"type": "app_home_opened", "user": "UBOB", "tab": "home"}
    assert tell(fake, event).status == 200
    assert fake.homes == {}
