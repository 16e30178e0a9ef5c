"""Do the links in messages act for whom they were made, once, and for nobody else?"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from alertcenter.alerts.models import Group
from alertcenter.common.buckets import Buckets
from alertcenter.dashboard import signed
from escalation import actions
from escalation.messages import message_for
from notifications import signing
from notifications.models import Channel, Contact, UsedLink
from tenants.actors import Actor
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.dashboard.scene import make_group
from tests.notifications.scene import a_parcel

pytestmark = pytest.mark.django_db(transaction=True)

SOMEBODY = Actor("member", "", "Somebody")


@pytest.fixture(autouse=True)
def fresh_buckets(monkeypatch) -> None:
    monkeypatch.setattr(signed, "GUESSES", Buckets(rate=1 / 3, burst=60))
    monkeypatch.setattr(signed, "PRESSES", Buckets(rate=1 / 5, burst=20))


@pytest.fixture
def group(acme: Cast) -> Group:
    with in_tenant(acme.id):
        return make_group(acme.id, title="Disks are full")


@pytest.fixture
def ops(acme: Cast) -> Channel:
    with in_tenant(acme.id):
        return Channel.objects.create(
            tenant_id=acme.id, kind="email", slug="ops", name="Ops mail",
            settings={"to": ["ops@acme.example", "more@acme.example"]},
        )  # fmt: skip


def links(cast: Cast, group: Group, **changes: Any) -> dict[str, str]:
    """The paths of a mail's links by act."""
    with in_tenant(cast.id):
        message = message_for(Group.objects.get(pk=group.pk))
    given: dict[str, Any] = {"tenant_id": cast.id, "message": message}
    given |= {"channel_kind": "email", "channel_id": None, "address": "x@acme.example"}
    parcel = a_parcel(**given | changes)
    return {
        act: "/" + url.split("/", 3)[3]
        for act, _label, url in signing.act_links(parcel)
    }


def of_bob(cast: Cast, group: Group) -> dict[str, str]:
    bob = cast.members["bob"]
    return links(cast, group, member_id=bob.pk, address=bob.user.email)


def of_ops(cast: Cast, group: Group, ops: Channel) -> dict[str, str]:
    return links(cast, group, channel_id=ops.pk, address="ops@acme.example")


def state(cast: Cast, group: Group) -> str:
    with in_tenant(cast.id):
        return Group.objects.get(pk=group.pk).state


def audited(cast: Cast, group: Group) -> list[tuple[str, str, str]]:
    with in_tenant(cast.id):
        rows = Audit.objects.filter(object_id=str(group.pk)).order_by("id")
        return list(rows.values_list("action", "actor_kind", "actor_label"))


# --- reading changes nothing ---


def test_a_programs_look_at_a_link_changes_nothing(acme, group):
    for path in of_bob(acme, group).values():
        for _ in range(3):
            assert Client().get(path).status_code == 200
            assert Client().head(path).status_code == 200
    assert state(acme, group) == "firing"
    assert audited(acme, group) == []
    with in_tenant(acme.id):
        assert not UsedLink.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_no_other_method_does_anything(acme, group, method):
    answer = getattr(Client(), method)(of_bob(acme, group)["resolve"])
    assert answer.status_code == 405
    assert state(acme, group) == "firing"


def test_the_page_says_what_it_is_about_and_as_whom_one_acts(acme, group):
    answer = Client().get(of_bob(acme, group)["acknowledge"])
    page = answer.content.decode()
    for said in ("Disks are full", f"#{group.number}", "Bob", "Acknowledge", "<form"):
        assert said in page
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert not answer.cookies


def test_a_link_to_a_telephone_that_is_no_contact_any_more_acts_no_more(acme, group):
    bob = acme.members["bob"]
    given = {"tenant_id": acme.id, "member": bob, "kind": "sms"}
    with in_tenant(acme.id):
        phone = Contact.objects.create(**given, address="+4915112345678")
    path = links(acme, group, member_id=bob.pk, address=phone.address)["acknowledge"]
    assert Client().get(path).status_code == 200
    with in_tenant(acme.id):
        phone.delete()
    answer = Client().post(path)
    assert answer.status_code == 403
    assert "Disks are full" not in answer.content.decode()
    assert state(acme, group) == "firing"


def test_a_title_is_only_text_on_the_page(acme):
    with in_tenant(acme.id):
        nasty = make_group(acme.id, title="<script>alert(1)</script>" + "x" * 3000)
    page = Client().get(of_bob(acme, nasty)["acknowledge"]).content.decode()
    assert "<script" not in page
    assert "x" * 301 not in page


# --- pressing acts ---


def test_a_press_acts_as_the_member_without_a_login(acme, group):
    answer = Client(enforce_csrf_checks=True).post(of_bob(acme, group)["acknowledge"])
    assert answer.status_code == 200
    assert 'data-state="done"' in answer.content.decode()
    assert state(acme, group) == "acknowledged"
    assert audited(acme, group) == [("group.acknowledged", "member", "Bob")]


@pytest.mark.parametrize(
    ("act", "ends"), [("resolve", "resolved"), ("snooze", "snoozed")]
)
def test_other_acts_do_what_they_say(acme, group, act, ends):
    Client().post(of_bob(acme, group)[act])
    assert state(acme, group) == ends


def test_a_channels_link_acts_as_its_address(acme, group, ops):
    path = of_ops(acme, group, ops)["acknowledge"]
    assert "ops@acme.example" in Client().get(path).content.decode()
    Client().post(path)
    assert audited(acme, group) == [("group.acknowledged", "link", "ops@acme.example")]
    with in_tenant(acme.id):
        assert Group.objects.get(pk=group.pk).acked_by == "ops@acme.example"


def test_a_login_in_the_same_browser_does_not_change_who_acts(acme, globex, group):
    client = Client()
    client.force_login(globex.user("charlie"))
    client.post(of_bob(acme, group)["acknowledge"])
    assert audited(acme, group) == [("group.acknowledged", "member", "Bob")]


# --- again ---


def test_a_second_press_does_nothing_and_says_so(acme, group):
    path = of_bob(acme, group)["acknowledge"]
    Client().post(path)
    with in_tenant(acme.id):
        actions.unacknowledge(acme.id, [group.pk], actor=SOMEBODY)
    for answer in (Client().post(path), Client().get(path)):
        assert 'data-state="used"' in answer.content.decode()
        assert "<form" not in answer.content.decode()
    assert state(acme, group) == "firing"


def test_who_comes_second_is_told_who_was_first(acme, group, ops):
    path = of_ops(acme, group, ops)["acknowledge"]
    Client().post(of_bob(acme, group)["acknowledge"])
    page = Client().post(path).content.decode()
    assert "Bob has acknowledged this already" in page
    assert len(audited(acme, group)) == 1
    with in_tenant(acme.id):
        assert UsedLink.objects.count() == 1  # the second link did nothing


def test_of_many_presses_at_once_one_acts(acme, group):
    path = of_bob(acme, group)["acknowledge"]

    def press(_number: int) -> str:
        try:
            return Client().post(path).content.decode()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as hands:
        pages = list(hands.map(press, range(6)))
    assert sum('data-state="done"' in page for page in pages) == 1
    assert len(audited(acme, group)) == 1


def test_what_is_over_stays_over(acme, group):
    paths = of_bob(acme, group)
    Client().post(paths["resolve"])
    page = Client().post(paths["acknowledge"]).content.decode()
    assert 'data-state="resolved"' in page
    assert state(acme, group) == "resolved"


# --- who may not ---


def test_an_expired_link_acts_no_more(acme, group, monkeypatch):
    path = of_bob(acme, group)["acknowledge"]
    later = time.time() + signing.LIFE.total_seconds() + 1
    monkeypatch.setattr(time, "time", lambda: later)
    answer = Client().post(path)
    assert answer.status_code == 410
    assert state(acme, group) == "firing"


@pytest.mark.parametrize("change", [{"active": False}, {"role": "viewer"}])
def test_a_member_who_may_not_act_any_more_is_refused(acme, group, change):
    path = of_bob(acme, group)["acknowledge"]
    with in_tenant(acme.id):
        type(acme.members["bob"]).objects.filter(pk=acme.members["bob"].pk).update(
            **change
        )
    answer = Client().post(path)
    assert answer.status_code == 403
    assert "Disks" not in answer.content.decode()
    assert state(acme, group) == "firing"


def test_a_user_who_is_switched_off_is_refused(acme, group):
    path = of_bob(acme, group)["acknowledge"]
    user = acme.user("bob")
    user.is_active = False
    user.save()
    assert Client().post(path).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"settings": {"to": ["more@acme.example"]}},
        {"settings": {"to": ["ops@acme.example"], "links": False}},
    ],
)
def test_an_address_that_left_its_channel_is_refused(acme, group, ops, change):
    path = of_ops(acme, group, ops)["acknowledge"]
    with in_tenant(acme.id):
        Channel.objects.filter(pk=ops.pk).update(**change)
    assert Client().post(path).status_code == 403
    assert state(acme, group) == "firing"


def test_a_link_of_one_tenant_finds_nothing_of_another(acme, globex, group):
    """Ours, but with a group or a reader that is not the tenant's."""
    charlie = globex.members["charlie"].pk
    for cast, member in ((globex, charlie), (acme, charlie)):
        message = {"tenant_id": cast.id, "member_id": member}
        path = links(acme, group, **message)["acknowledge"]
        answer = Client().post(path)
        assert answer.status_code in (403, 404)
        assert "Disks" not in answer.content.decode()
    assert state(acme, group) == "firing"


def test_a_group_that_is_gone_is_not_found(acme, group):
    path = of_bob(acme, group)["acknowledge"]
    with in_tenant(acme.id):
        Group.objects.filter(pk=group.pk).delete()
    assert Client().post(path).status_code == 404


def test_a_forged_link_is_not_found_and_guessing_ends(monkeypatch):
    monkeypatch.setattr(signed, "GUESSES", Buckets(rate=1 / 60, burst=5))
    token = signing.seal(signing.ACT, bytes(signing.ACT_BODY.size))[:-3] + "AAA"
    codes = [Client().post(f"/a/{token}").status_code for _ in range(7)]
    assert codes[:5] == [404] * 5
    assert codes[-1] == 429


def test_one_link_is_not_pressed_for_ever(acme, group, monkeypatch):
    monkeypatch.setattr(signed, "PRESSES", Buckets(rate=1 / 60, burst=3))
    path = of_bob(acme, group)["acknowledge"]
    answers = [Client().post(path) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_page_speaks_the_readers_language(acme, group):
    with in_tenant(acme.id):
        type(acme.members["bob"]).objects.filter(pk=acme.members["bob"].pk).update(
            language="de"
        )
    page = Client().get(of_bob(acme, group)["acknowledge"]).content.decode()
    assert "Übernehmen" in page
    assert '<html lang="de"' in page
