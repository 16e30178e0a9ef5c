"""Are the pages that explain open to members, in words, and to nobody else?"""

from __future__ import annotations

import pytest
from django.test import Client

from alertcenter.alerts.models import Alert, Route, Rule
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.escalation.scene import Scene, make_scene
from tests.escalation.test_explain import engine, silence

pytestmark = pytest.mark.django_db(transaction=True)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def scene(acme) -> Scene:
    return make_scene(acme)


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_groups_page_says_why_in_one_sentence(scene, acme, send):
    silence(scene, "alertname=DiskFull")
    send.prometheus(scene.id, fire(0))
    engine()
    page = browser(acme.user("vera")).get("/t/acme/groups/1").content.decode()
    assert "because silence “New disks” by Ann matches until" in page
    assert 'href="/t/acme/groups/1/why"' in page


def test_every_decision_is_shown_with_links_for_staff(scene, acme, send):
    silence(scene, "alertname=DiskFull")
    send.prometheus(scene.id, fire(0))
    engine()
    page = browser(acme.user("alice")).get("/t/acme/groups/1/why").content.decode()
    assert "This decided:" in page
    assert "alertname=&quot;DiskFull&quot;" in page
    assert "/admin/alerts/route/" in page
    user = acme.user("vera")
    user.is_staff = False
    user.save()
    plain = browser(user).get("/t/acme/groups/1/why").content.decode()
    assert "/admin/" not in plain


def test_texts_from_outside_never_become_markup(scene, acme, send):
    with in_tenant(scene.id):
        Route.objects.create(
            tenant_id=scene.id, name=EVIL, matchers=[f'a="{EVIL}"'], policy=None
        )
        Rule.objects.create(
            tenant_id=scene.id, name=EVIL, matchers=[f'b="{EVIL}"'], drop=True
        )
    silence(scene, "alertname=DiskFull", comment=EVIL, created_by=EVIL)
    send.prometheus(scene.id, fire(0, a=EVIL))
    engine()
    client = browser(acme.user("alice"))
    with in_tenant(scene.id):
        stored = Alert.objects.get().pk
    for answer in (
        client.get("/t/acme/groups/1"),
        client.get("/t/acme/groups/1/why"),
        client.get(f"/t/acme/explain?alert={stored}"),
        client.post("/t/acme/explain", {"text": f"a={EVIL}"}),
        client.post("/t/acme/explain", {"text": f"b={EVIL}"}),
    ):
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "<script>alert(1)" not in page
        assert " style=" not in page


def test_a_pasted_alert_at_a_time_in_the_members_zone(scene, acme):
    with in_tenant(acme.id):
        member = acme.members["bob"]
        member.time_zone = "Asia/Tokyo"
        member.save()
    given = {"text": "alertname=DiskFull", "at": "2027-01-07T03:00"}
    page = browser(acme.user("bob")).post("/t/acme/explain", given).content.decode()
    assert "Step 1 would tell #ops at" in page
    assert "03:00 (Slack)" in page
    assert "03:05" in page


@pytest.mark.parametrize(
    "given",
    [
        {"text": ""},
        {"text": "{"},
        {"text": "no label"},
        {"text": "a=b", "at": "yesterday"},
        {"text": "a=b", "at": "9999-12-31T23:59"},
        {"text": "a=b", "at": "0001-01-01T00:00"},
    ],
)
def test_nonsense_is_answered_with_a_sentence(scene, acme, given):
    answer = browser(acme.user("bob")).post("/t/acme/explain", given)
    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode()
    assert 'id="verdict"' not in answer.content.decode()


def test_outsiders_and_strangers_find_nothing(scene, acme, globex, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        stored = Alert.objects.get().pk
    charlie = browser(globex.user("charlie"))
    for url in (
        "/t/acme/groups/1/why",
        "/t/acme/explain",
        f"/t/acme/explain?alert={stored}",
        f"/t/globex/explain?alert={stored}",
        "/t/globex/groups/1/why",
    ):
        assert charlie.get(url).status_code == 404, url
    assert Client().get("/t/acme/explain").status_code == 302
    assert charlie.get("/t/globex/explain").status_code == 200


def test_the_admin_leads_there(scene, acme, send):
    send.prometheus(scene.id, fire(0))
    engine()
    client = browser(acme.user("alice"))
    with in_tenant(scene.id):
        stored, group = Alert.objects.get().pk, scene.group().pk
    alert = client.get(f"/admin/alerts/alert/{stored}/change/").content.decode()
    assert f"/t/acme/explain?alert={stored}" in alert
    page = client.get(f"/admin/alerts/group/{group}/change/").content.decode()
    assert "/t/acme/groups/1/why" in page
