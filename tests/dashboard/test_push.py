"""May a member let his browser notify him, and nobody else's?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notifications import push_keys, subscribing
from notifications.models import Contact
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.fakes.push import FakeBrowser, FakePush

pytestmark = pytest.mark.django_db

URL = "/t/acme/push/"


@pytest.fixture
def browser() -> FakeBrowser:
    return FakeBrowser(FakePush(), "b")  # nobody calls it


def session(user: User, **given: Any) -> Client:
    client = Client(**given)
    client.force_login(user)
    return client


def post(client: Client, body: Any, **headers: Any) -> Any:
    return client.post(URL, json.dumps(body), content_type="application/json")


def test_a_browser_becomes_a_contact_and_stops_being_one(acme, browser):
    bob = session(acme.user("bob"))
    answer = post(bob, {"subscription": browser.subscription})
    assert answer.status_code == 201
    digest = subscribing.digest_of(browser.endpoint)
    assert answer.json() == {"digest": digest}
    page = bob.get("/t/acme/").content.decode()
    assert f'data-known="{digest}"' in page
    assert f'data-key="{push_keys.public_key()}"' in page
    assert browser.endpoint not in page
    with in_tenant(acme.id):
        assert Contact.objects.get().member == acme.members["bob"]
        assert Audit.objects.get(action="contact.create").actor_label == "Bob"
    assert post(bob, {"forget": browser.endpoint}).json() == {"known": True}
    assert post(bob, {"forget": browser.endpoint}).json() == {"known": False}
    with in_tenant(acme.id):
        assert not Contact.objects.exists()


def test_a_viewer_may_be_notified_too(acme, browser):
    vera = session(acme.user("vera"))
    assert post(vera, {"subscription": browser.subscription}).status_code == 201


def test_what_makes_no_sense_is_refused(acme, browser):
    bob = session(acme.user("bob"))
    senseless: list[Any] = [[], "x", {}, {"subscription": {}}, {"subscription": "x"}]
    for body in senseless:
        assert post(bob, body).status_code == 400, body
    huge = {"subscription": {"endpoint": "x" * 9_000}}
    assert post(bob, huge).status_code == 413
    deep = bob.post(URL, "[" * 5_000, content_type="application/json")
    assert deep.status_code == 400


def test_others_and_forged_requests_are_refused(acme, globex, browser):
    body = {"subscription": browser.subscription}
    assert post(session(globex.user("charlie")), body).status_code == 404
    assert post(Client(), body).status_code == 302
    strict = session(acme.user("bob"), enforce_csrf_checks=True)
    assert post(strict, body).status_code == 403
    assert session(acme.user("bob")).get(URL).status_code == 405
    with in_tenant(acme.id):
        assert not Contact.objects.exists()


def test_an_operator_is_told_of_nothing(acme, browser):
    root = User.objects.create_superuser("root", "root@example.com", "x")
    client = session(root)
    assert post(client, {"subscription": browser.subscription}).status_code == 403
    assert 'id="push"' not in client.get("/t/acme/").content.decode()


def test_the_worker_stands_at_the_root_and_is_always_fresh(client):
    answer = client.get("/push-worker.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert b"notificationclick" in answer.content
