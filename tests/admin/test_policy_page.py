"""How are policies written in the admin, and what does their page say of them?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from escalation.models import Policy, Schedule, Step
from tenants.rls import in_tenant
from tests.admin.test_rights import policy_data

pytestmark = pytest.mark.django_db
ADD = "admin:escalation_policy_add"


def page_of(policy: Policy) -> str:
    return reverse("admin:escalation_policy_change", args=[policy.pk])


def only(acme) -> Policy:
    with in_tenant(acme.id):
        return Policy.objects.get(name="mine")


def test_a_kind_keeps_its_own_fields_and_leaves_the_others(alice, acme, filled):
    people = [str(acme.members[name].pk) for name in ("vera", "bob")]
    given = policy_data(
        kind="everyone",
        members=people,
        again_seconds="120",
        times="2",
        begins="09:00",
        severity="5",
        wait_seconds="60",
    )
    response = alice.post(reverse(ADD), given)
    assert response.status_code == 302, response.context["errors"]
    with in_tenant(acme.id):
        step = Step.objects.get(policy=only(acme))
    assert step.wait_seconds is None
    assert step.params.pop("members") == sorted(people, key=people[::-1].index)
    assert step.params == {"again_seconds": 120, "times": 2}


def test_what_is_missing_is_said_at_its_field(alice, acme, filled):
    for given, field in (
        ({"kind": "members"}, "members"),
        ({"kind": "if_severity"}, "severity"),
        ({"kind": "if_time", "time_zone": "Mars"}, "time_zone"),
        ({"kind": "oncall"}, "schedule"),
    ):
        response = alice.post(reverse(ADD), policy_data(**given))
        assert response.status_code == 200
        assert field in response.context["inline_admin_formsets"][0].formset.errors[0]


def test_members_of_others_are_no_choice(alice, acme, globex, filled):
    stranger = str(globex.members["charlie"].pk)
    given = policy_data(kind="members", members=[stranger])
    assert alice.post(reverse(ADD), given).status_code == 200


def test_the_page_says_the_steps_in_sentences_and_who_is_told_when(alice, acme, filled):
    people = [str(acme.members[name].pk) for name in ("bob", "vera")]
    given = policy_data(kind="if_severity", severity="4", otherwise="stop") | {
        "steps-TOTAL_FORMS": "3",
        "steps-1-position": "2",
        "steps-1-kind": "wait",
        "steps-1-wait_seconds": "300",
        "steps-2-position": "3",
        "steps-2-kind": "members",
        "steps-2-members": people,
    }
    assert alice.post(reverse(ADD), given).status_code == 302
    page = page_of(only(acme))
    shown = alice.get(page, {"severity": "5"}).content.decode()
    for text in (
        "Go on only if the severity is error or worse. Otherwise end here.",
        "Wait 5 min.",
        "Notify Bob, Vera.",
        "+5 min",
        "may end in nobody",
        "Step 3 comes only if the condition of step 1 holds.",
    ):
        assert text in shown, text
    mild = alice.get(page, {"severity": "3", "at": "2026-11-02T10:00"})
    assert "nobody is told" in mild.content.decode()
    assert mild.context["axis"].nobody
    assert alice.get(page, {"at": "never"}).status_code == 200


def test_a_step_is_changed_and_its_page_opens_for_every_kind(alice, acme, filled):
    assert alice.post(reverse(ADD), policy_data(kind="resolve")).status_code == 302
    policy = only(acme)
    with in_tenant(acme.id):
        pk = Step.objects.get(policy=policy).pk
    given = policy_data(kind="if_time", begins="08:00", ends="18:00", days=["mon"])
    given |= {"steps-INITIAL_FORMS": "1", "steps-0-id": str(pk)}
    given["steps-0-policy"] = str(policy.pk)
    response = alice.post(page_of(policy), given)
    assert response.status_code == 302
    with in_tenant(acme.id):
        params = Step.objects.get(pk=pk).params
    assert (params["days"], params["ends"]) == (["mon"], "18:00")
    assert params["time_zone"] == "UTC"
    assert alice.get(page_of(policy)).status_code == 200


@pytest.mark.parametrize("at", ["9999-12-31T23:59", "0001-01-01T00:00"])
def test_a_moment_out_of_reach_is_now(alice, acme, filled, at):
    with in_tenant(acme.id):
        policy, schedule = Policy.objects.all()[0], Schedule.objects.all()[0]
    order = reverse("admin:escalation_schedule_change", args=[schedule.pk])
    assert alice.get(f"{page_of(policy)}?at={at}").status_code == 200
    assert alice.get(f"{order}?at={at}").status_code == 200


def test_a_step_hands_over_to_another_policy(alice, acme, filled):
    """The form has a field for the policy of the step itself, too."""
    with in_tenant(acme.id):
        other = Policy.objects.create(tenant_id=acme.id, name="second line")
    response = alice.post(reverse(ADD), policy_data(kind="hand_over"))
    errors = response.context["inline_admin_formsets"][0].formset.errors[0]
    assert list(errors) == ["next_policy"]
    given = policy_data(kind="hand_over", next_policy=str(other.pk))
    assert alice.post(reverse(ADD), given).status_code == 302
    with in_tenant(acme.id):
        step = Step.objects.get(policy=only(acme))
    assert step.params == {"policy": str(other.pk)}
    page = alice.get(page_of(only(acme))).content.decode()
    assert "next_policy" in page
    assert f'<option value="{other.pk}" selected>' in page


def test_a_timeline_whose_moment_cannot_be_read_is_not_one_of_now(alice, acme, filled):
    assert alice.post(reverse(ADD), policy_data(kind="resolve")).status_code == 302
    for odd in ("x", "9999-12-31T00:00"):
        answer = alice.get(page_of(only(acme)) + f"?at={odd}")
        assert answer.context.get("axis") is None
        assert "at" in answer.context["timeline_form"].errors


def test_no_policy_is_called_sound_unseen(alice, acme, filled, monkeypatch):
    """The list is judged a chunk at a time; other chunks' policies are known."""
    assert alice.post(reverse(ADD), policy_data(kind="resolve")).status_code == 302
    with in_tenant(acme.id):
        weak = Policy.objects.create(tenant_id=acme.id, name="zz weak")
        step = Step(tenant_id=acme.id, policy=weak, kind="wait", wait_seconds=60)
        step.save()
    policies = reverse("admin:escalation_policy_changelist")
    alice.get(policies)  # takes the messages away
    said = alice.get(policies).content.decode().count("No step tells anybody.")
    monkeypatch.setattr("escalation.admin.policy.MOST_JUDGED", 1)
    page = alice.get(policies).content.decode()
    assert page.count("No step tells anybody.") == said >= 2


def test_a_service_level_is_met_in_its_order(alice, acme):
    given = {"severity": "5", "acknowledge_seconds": "240", "resolve_seconds": "100"}
    answer = alice.post(reverse("admin:escalation_slatarget_add"), given)
    assert list(answer.context["adminform"].form.errors) == ["resolve_seconds"]
