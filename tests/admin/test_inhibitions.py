"""Can people write inhibitions, see what they do, and do the marks follow?"""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from alertcenter.alerts import inhibit_rules
from alertcenter.alerts.models import Group, GroupAlert, InhibitRule
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.conftest import make_alert

ADD = reverse("admin:alerts_inhibitrule_add")
PREVIEW = reverse("admin:alerts_inhibitrule_preview")
GIVEN = {
    "name": "critical first",
    "active": "on",
    "source_matchers": 'severity="critical"',
    "target_matchers": 'severity=~"warning|info"',
    "equal": "host",
}


def change(row: InhibitRule, what: str = "change") -> str:
    return reverse(f"admin:alerts_inhibitrule_{what}", args=[row.pk])


@pytest.fixture
def fire(acme) -> Any:
    """Return a function that makes a firing alert in a group of its own."""
    numbers = iter(range(1, 1000))

    def make(host: str, severity: int, **labels: str) -> GroupAlert:
        number, now = next(numbers), timezone.now()
        with in_tenant(acme.id):
            names = {"alertname": f"A{number}", "host": host} | labels
            alert = make_alert(acme, number, severity=severity, labels=names)
            group = Group.objects.create(
                tenant=acme.tenant,
                number=number,
                key=f"{number:064d}",
                severity=severity,
                title=alert.title,
                opened_at=now,
                changed_at=now,
                firing_count=1,
                alert_count=1,
            )
            assert alert.episode_id
            return GroupAlert.objects.create(
                tenant=acme.tenant,
                group=group,
                alert=alert,
                episode_id=alert.episode_id,
                joined_at=now,
            )

    return make


def marks(cast, member: GroupAlert) -> list[Any]:
    with in_tenant(cast.id):
        member.refresh_from_db()
        return member.inhibited_by


def test_a_rule_marks_at_once_and_lifts_its_marks_when_it_goes(alice, acme, fire):
    critical, warning = fire("db-1", 5), fire("db-1", 3)
    other = fire("db-2", 3)
    assert alice.post(ADD, GIVEN).status_code == 302
    assert marks(acme, warning) == [critical.alert_id]
    assert marks(acme, other) == []
    with in_tenant(acme.id):
        assert Group.objects.get(pk=warning.group_id).quiet_count == 1
        rule = InhibitRule.objects.get()
    off = {key: value for key, value in GIVEN.items() if key != "active"}
    assert alice.post(change(rule), off).status_code == 302
    assert marks(acme, warning) == []
    assert alice.post(change(rule), GIVEN).status_code == 302
    assert marks(acme, warning) == [critical.alert_id]
    assert alice.post(change(rule, "delete"), {"post": "yes"}).status_code == 302
    assert marks(acme, warning) == []
    with in_tenant(acme.id):
        assert Group.objects.get(pk=warning.group_id).quiet_count == 0
        done = Audit.objects.filter(object_kind="inhibitrule").order_by("id")
        assert [row.action.partition(".")[2] for row in done] == [
            "create",
            "change",
            "change",
            "delete",
        ]


def test_the_list_s_own_deletion_lifts_the_marks_too(alice, acme, fire):
    critical, warning = fire("db-1", 5), fire("db-1", 3)
    alice.post(ADD, GIVEN)
    assert marks(acme, warning) == [critical.alert_id]
    with in_tenant(acme.id):
        rule = InhibitRule.objects.get()
    given = {
        "action": "delete_selected",
        "_selected_action": [str(rule.pk)],
        "post": "yes",
    }
    page = reverse("admin:alerts_inhibitrule_changelist")
    assert alice.post(page, given).status_code == 302
    assert marks(acme, warning) == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("source_matchers", ""),
        ("target_matchers", ""),
        ("source_matchers", "severity"),
        ("target_matchers", 'a=~"(?=x)"'),
        ("target_matchers", "\n".join(['a="b"'] * 51)),
        ("equal", "cluster=x"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(alice, acme, field, text):
    response = alice.post(ADD, GIVEN | {field: text})
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


def test_the_preview_counts_sources_and_what_they_would_keep_quiet(alice, fire):
    fire("db-1", 5)
    fire("db-1", 3)
    fire("db-2", 3)
    told = alice.post(PREVIEW, GIVEN).json()
    assert told["sentence"].startswith("1 alert that fires now is a source; 1 would")
    (example,) = told["examples"]
    assert alice.get(example["url"]).status_code == 200
    assert "because of" in example["note"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"equal": "", "target_matchers": ""}, "both sides"),
        ({"source_matchers": "x"}, "not a condition"),
    ],
)
def test_the_preview_answers_half_a_form_with_a_sentence(alice, given, said):
    told = alice.post(PREVIEW, GIVEN | given).json()
    assert said in told["sentence"]


def test_the_preview_shows_others_nothing(charlie, globex, fire):
    fire("db-1", 5)
    fire("db-1", 3)
    told = charlie.post(PREVIEW, GIVEN).json()
    assert told["sentence"].startswith("0 alerts")
    assert told["examples"] == []


def test_alerts_on_both_sides_do_not_keep_each_other_quiet(acme, fire):
    fire("db-1", 5)
    fire("db-1", 5)
    with in_tenant(acme.id):
        both = ['severity="critical"']
        assert inhibit_rules.preview(acme.id, both, both, ["host"]).muted == 0
        # A source that is no target mutes them; a missing label equals a missing one.
        fire("db-1", 3)
        wide = ['severity=~"warning|critical"']
        found = inhibit_rules.preview(acme.id, wide, both, ["host", "zone"])
        assert (found.sources, found.muted) == (3, 2)


def test_a_viewer_may_not_write_one(vera, acme):
    assert vera.post(ADD, GIVEN).status_code == 403


def test_the_preview_says_that_a_null_cannot_be(alice, acme):
    told = alice.post(PREVIEW, GIVEN | {"source_matchers": 'a="\0"'}).json()
    assert told["alarming"]
    assert "null" in told["sentence"].lower()
