"""How many passwords may be tried?"""

from __future__ import annotations

import pytest
from django.test import Client

from alertcenter.common.buckets import Buckets
from tenants import logins

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(logins, "TRIES", Buckets(rate=1 / 30, burst=3))
    monkeypatch.setattr(logins, "TRIES_OF_ADDRESS", Buckets(rate=1 / 3, burst=10))


def attempt(path: str, name: str, password: str, address: str = "192.0.2.1"):
    given = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post(path, given)


@pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
def test_after_a_few_wrong_passwords_even_the_right_one_waits(path, acme):
    name = acme.members["alice"].user.username
    for _ in range(3):
        assert b"Too many" not in attempt(path, name, "wrong").content
    answer = attempt(path, name, "wrong")
    assert "Too many wrong attempts" in answer.content.decode()
    # The owner, elsewhere, is not locked out by whoever guesses.
    assert (
        "Too many" not in attempt(path, name, "wrong", "198.51.100.2").content.decode()
    )


def test_one_address_does_not_try_a_list_of_accounts(acme):
    answers = [attempt("/login/", f"u{n}", "x").content.decode() for n in range(12)]
    assert "Too many" not in answers[0]
    assert "Too many" in answers[-1]
