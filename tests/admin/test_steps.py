"""May a person leave the rows of a new policy empty that he does not need?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from escalation.models import Policy
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_rows_of_which_only_the_place_was_numbered_are_empty(alice, acme):
    """The page's own script numbers the rows that nobody filled in."""
    given = {
        "name": "short",
        "steps-TOTAL_FORMS": "3",
        "steps-INITIAL_FORMS": "0",
        "steps-0-position": "1",
        "steps-0-kind": "wait",
        "steps-0-wait_seconds": "60",
        "steps-1-position": "2",
        "steps-2-position": "3",
    }
    response = alice.post(reverse("admin:escalation_policy_add"), given)
    assert response.status_code == 302
    with in_tenant(acme.id):
        assert Policy.objects.get(name="short").steps.count() == 1


def test_a_policy_without_any_step_is_refused(alice, acme):
    given = {
        "name": "empty",
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "0",
        "steps-0-position": "1",
    }
    response = alice.post(reverse("admin:escalation_policy_add"), given)
    assert response.status_code == 200
    with in_tenant(acme.id):
        assert not Policy.objects.filter(name="empty").exists()
