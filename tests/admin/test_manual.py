"""Alerts that a person makes: one by a form, many by a table."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from alertcenter.alerts import intake
from alertcenter.alerts.models import Alert
from tenants.models import Audit
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)

NEW = reverse("admin:alerts_alert_new")
UPLOAD = reverse("admin:alerts_alert_upload")
TABLE = (
    b"title,severity,status,key,labels.host\n"
    b"Disk is full,critical,firing,d1,db-1\n"
    b",,,,\n"
    b"Slow,warning,firing,d2,db-2\n"
)


@pytest.fixture(autouse=True)
def _intake():
    intake.start()
    yield
    intake.stop()


def alerts(cast) -> list[Alert]:
    with in_tenant(cast.id):
        return list(Alert.objects.order_by("title"))


def test_a_person_makes_an_alert_that_is_audited(bob, acme):
    page = bob.post(
        NEW,
        {
            "title": "The lift is stuck",
            "severity": "5",
            "labels": "building=A\nfloor=3",
            "description": "between two floors",
            "hours": "2",
        },
        follow=True,
    )
    assert "Made: The lift is stuck" in page.content.decode()
    (found,) = alerts(acme)
    assert (found.severity, found.source) == (5, "manual")
    assert found.labels == {
        "alertname": "The lift is stuck",
        "building": "A",
        "floor": "3",
    }
    assert found.expires_at is not None
    with in_tenant(acme.id):
        assert Audit.objects.filter(action="alert.make").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"title": ""}, "This field is required."),
        ({"labels": "nonsense"}, "write name=value"),
        ({"link": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"severity": "9"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(wrong, words, bob, acme):
    said = {"title": "x", "severity": "3"} | wrong
    assert words in bob.post(NEW, said).content.decode()
    assert alerts(acme) == []


def test_a_table_is_shown_before_it_is_sent(bob, acme):
    file = SimpleUploadedFile("alerts.csv", TABLE)
    page = bob.post(UPLOAD, {"file": file}).content.decode()
    assert "Make 2 alerts" in page
    assert alerts(acme) == []
    page = bob.post(UPLOAD, {"text": TABLE.decode(), "_send": "1"}, follow=True)
    assert "2 alerts made." in page.content.decode()
    assert [one.title for one in alerts(acme)] == ["Disk is full", "Slow"]
    assert alerts(acme)[0].labels == {"host": "db-1"}


@pytest.mark.parametrize(
    ("table", "words"), [(b"a,b\n1,2\n", "column title or key"), (b"", "empty")]
)
def test_a_table_that_says_nothing_is_refused(table, words, bob, acme):
    page = bob.post(UPLOAD, {"file": SimpleUploadedFile("a.csv", table)})
    assert words in page.content.decode()
    assert alerts(acme) == []


def test_only_who_may_act_makes_alerts(charlie, acme):
    assert charlie.get(NEW).status_code in (200, 302, 404)
    charlie.post(NEW, {"title": "x", "severity": "3"})
    assert alerts(acme) == []
