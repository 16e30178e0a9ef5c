"""Pages open for members, in their language, and for nobody else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alertcenter.alerts.models import Group, Transition
from alertcenter.dashboard import stories
from escalation.models import DueStep, Run
from tenants.models import ApiKey, Audit
from tenants.rls import in_tenant
from tests.cast import PASSWORD
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


@pytest.fixture
def group(acme) -> Group:
    with in_tenant(acme.id):
        return make_group(acme.id, title=EVIL, labels={EVIL: EVIL})


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def addresses(group: Group) -> list[tuple[str, str]]:
    return [
        ("get", "/t/acme/"),
        ("get", f"/t/acme/groups/{group.number}"),
        ("get", "/t/acme/more/?after=x"),
        ("get", "/t/acme/pulse/"),
        ("post", "/t/acme/act/"),
        ("post", "/t/acme/first-key/"),
    ]


def test_the_first_page_leads_to_the_last_tenant(acme):
    client = browser(acme.user("alice"))
    assert client.get("/")["Location"] == "/t/acme/"


def test_strangers_are_led_to_the_login_and_back(acme, group):
    for method, url in addresses(group):
        answer = getattr(Client(), method)(url)
        assert answer.status_code == 302, url
        assert "login" in answer["Location"]
    client = Client()
    given = {"username": "alice", "password": PASSWORD, "next": "/t/acme/"}
    assert client.post("/login/", given)["Location"] == "/t/acme/"


def test_members_of_other_tenants_find_nothing(acme, globex, group):
    client = browser(globex.user("charlie"))
    for method, url in addresses(group):
        assert getattr(client, method)(url).status_code == 404, url
        other = url.replace("/t/acme/", "/t/nowhere/")
        assert getattr(client, method)(other).status_code == 404, other


def test_a_user_without_a_tenant_is_told_what_to_do(db):
    user = User.objects.create_user("nobody")
    answer = browser(user).get("/")
    assert answer.status_code == 200
    assert "no tenant yet" in answer.content.decode()


def test_texts_from_outside_never_become_markup(acme, group):
    client = browser(acme.user("alice"))
    for url in ("/t/acme/", f"/t/acme/groups/{group.number}"):
        page = client.get(url).content.decode()
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;" in page


def test_pages_forbid_inline_scripts_and_styles(acme, group):
    client = browser(acme.user("alice"))
    for url in ("/login/", "/t/acme/", f"/t/acme/groups/{group.number}"):
        answer = client.get(url, follow=True)
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        page = answer.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page


def test_a_group_that_does_not_exist_is_not_found(acme):
    assert browser(acme.user("alice")).get("/t/acme/groups/99999").status_code == 404


def test_the_language_chosen_stays(acme):
    client = browser(acme.user("alice"))
    client.post("/language/", {"language": "de", "next": "/t/acme/"})
    assert client.get("/t/acme/")["Content-Language"] == "de"
    client.post("/language/", {"language": "xx"})
    assert client.get("/t/acme/")["Content-Language"] == "de"


def test_a_return_address_of_others_is_not_followed(acme):
    client = browser(acme.user("alice"))
    answer = client.post("/language/", {"language": "fr", "next": "//evil.example/"})
    assert answer["Location"] == "/"


def test_nobody_switches_to_a_tenant_of_others(acme, globex):
    client = browser(globex.user("charlie"))
    assert client.post("/switch/", {"tenant": "acme"}).status_code == 404
    assert client.post("/switch/", {"tenant": "globex"})["Location"] == "/t/globex/"


def test_an_operators_visit_is_on_record_once(acme, globex):
    root = User.objects.create_superuser("root")
    client = browser(root)
    for _twice in range(2):
        assert client.get("/t/acme/").status_code == 200
    browser(acme.user("alice")).get("/t/acme/")
    with in_tenant(acme.id):
        assert [row.action for row in Audit.objects.all()] == ["tenant.enter"]


def test_a_click_works_without_the_socket(acme, group):
    client = browser(acme.user("bob"))
    wanted = {"do": "acknowledge", "groups": [str(group.pk)]}
    answer = client.post("/t/acme/act/", wanted, content_type="application/json")
    assert answer.json()["results"][0]["reason"] == "done"
    with in_tenant(acme.id):
        group.refresh_from_db()
        assert group.acked_by == "Bob"


@pytest.mark.parametrize("body", ["", "[1]", "{", "[" * 60_000, "9" * 5000])
def test_a_click_that_makes_no_sense_is_400(acme, body):
    client = browser(acme.user("bob"))
    answer = client.post("/t/acme/act/", body, content_type="application/json")
    assert answer.status_code == 400


def test_a_click_without_the_form_s_token_is_refused(acme, group):
    client = Client(enforce_csrf_checks=True)
    client.force_login(acme.user("bob"))
    wanted = json.dumps({"do": "acknowledge", "groups": [str(group.pk)]})
    answer = client.post("/t/acme/act/", wanted, content_type="application/json")
    assert answer.status_code == 403


def test_a_viewer_s_click_is_forbidden(acme, group):
    client = browser(acme.user("vera"))
    wanted = {"do": "acknowledge", "groups": [str(group.pk)]}
    answer = client.post("/t/acme/act/", wanted, content_type="application/json")
    assert (answer.status_code, answer.json()) == (403, {"error": "forbidden"})


@pytest.mark.parametrize("body", ["", "[]", "{", '{"do": "x"}', "\x00", '"text"'])
def test_a_click_that_makes_no_sense_gets_a_code(acme, body):
    client = browser(acme.user("bob"))
    answer = client.post("/t/acme/act/", body, content_type="application/json")
    assert answer.status_code == 400


def test_the_examples_get_a_key_that_is_shown_once(acme):
    client = browser(acme.user("alice"))
    client.post("/t/acme/first-key/")
    with in_tenant(acme.id):
        key = ApiKey.objects.get()
    # Sessions lie in the database; a key never does.
    assert key.prefix not in str(dict(client.session))
    page = client.get("/t/acme/").content.decode()
    assert key.prefix in page
    assert key.prefix not in client.get("/t/acme/").content.decode()


def test_a_responder_makes_no_keys(acme):
    client = browser(acme.user("bob"))
    assert client.post("/t/acme/first-key/").status_code == 403


def test_the_outbox_is_closed_outside_the_simulation(acme, settings):
    settings.SIMULATION = False
    client = browser(acme.user("alice"))
    for name in ("outbox", "outbox-messages", "storm"):
        assert client.get(reverse(name)).status_code == 404


def test_a_next_step_that_tells_nobody_itself_has_its_time_alone(acme, group):
    with in_tenant(acme.id):
        run = Run.objects.create(
            tenant_id=acme.id,
            group_id=group.pk,
            policy_name="p",
            snapshot={"steps": [{"kind": "repeat", "params": {"times": 2}}]},
        )
        due = timezone.now() + timedelta(hours=1)
        DueStep.objects.create(
            tenant_id=acme.id, run=run, group_id=group.pk, position=0, due_at=due
        )
    client = browser(acme.members["alice"].user)
    text = client.get(f"/t/acme/groups/{group.number}").content.decode()
    assert "<dt>Next</dt><dd><time" in text
    assert '"nextStep"' in client.get("/t/acme/").content.decode()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("nobody_on_call", "Nobody is on call, so nobody was told."),
        ("handed_over", "Handed over to another policy: Ops"),
        ("restarted", "Ben began anew with the present policy."),
        ("", "Ops"),
    ],
)
def test_a_note_in_the_timeline_says_why(reason, words):
    row = Transition(
        kind="noted", reason=reason, data={"who": "Ops"}, actor_kind="member"
    )
    row.actor_label = "Ben"
    assert stories._entry(row).said == words
