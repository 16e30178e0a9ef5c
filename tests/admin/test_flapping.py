"""Can an owner say when an alert flaps, within bounds?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from tenants.flapping_limits import FlappingLimits, limits_of
from tenants.models import Tenant
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {"name": "Acme", "language": "en", "time_zone": "UTC", "keep_raw": "off"}


def settings(acme) -> dict:
    with in_tenant(acme.id):
        found: dict = Tenant.objects.get().settings
        return found


def limits(starts="", ends="", minutes="") -> dict[str, str]:
    return FORM | {
        "flapping_starts": starts,
        "flapping_ends": ends,
        "flapping_minutes": minutes,
    }


@pytest.fixture
def save(acme, client):
    """Post the form as alice; return the status."""
    client.force_login(acme.user("alice"))
    page = reverse("admin:tenants_tenant_change", args=[acme.id])
    return lambda form: client.post(page, form).status_code


def test_what_is_written_holds_and_shows_again(acme, save, client):
    assert save(limits("10", "4", "60")) == 302
    assert limits_of(settings(acme)) == FlappingLimits(60, 10, 4)
    page = reverse("admin:tenants_tenant_change", args=[acme.id])
    shown = client.get(page).content.decode()
    assert 'name="flapping_starts" value="10"' in shown


def test_empty_means_the_usual_and_zero_means_never(acme, save):
    assert save(limits("10", "4", "60")) == 302
    assert save(limits()) == 302
    assert "flapping" not in settings(acme)
    assert save(limits("0")) == 302
    assert limits_of(settings(acme)).starts == 0


@pytest.mark.parametrize(
    "wrong",
    [
        limits("2"),
        limits("101"),
        limits("6", "6"),
        limits("", "6"),
        limits(minutes="0"),
        limits(minutes="1441"),
        limits("x"),
    ],
)
def test_what_makes_no_sense_is_refused(acme, save, wrong):
    assert save(wrong) == 200
    assert "flapping" not in settings(acme)


def test_other_settings_stay(acme, save):
    with in_tenant(acme.id):
        Tenant.objects.update(settings={"colour": "blue"})
    assert save(limits("10")) == 302
    assert settings(acme) == {"colour": "blue", "flapping": {"starts": 10}}
