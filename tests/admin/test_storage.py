"""What do operators and owners see of storage, retention and raw payloads?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from alertcenter.alerts.models import RawEvent
from tenants.models import Tenant
from tenants.rls import in_tenant
from tests.alerts.old_rows import NOW, run_now

pytestmark = pytest.mark.django_db(transaction=True)


def test_operators_see_sizes_and_runs_and_set_the_days(acme, client, django_user_model):
    run_now()
    client.force_login(django_user_model.objects.create_superuser("root"))
    shown = client.get(reverse("admin:tenants_retentionrun_changelist"))
    assert "transition" in shown.content.decode()
    page = reverse("admin:tenants_tenant_change", args=[acme.id])
    form = {
        "name": "Acme",
        "language": "en",
        "time_zone": "UTC",
        "keep_raw": "all",
        "history_days": "30",
    }
    assert client.post(page, form).status_code == 302
    for wrong in ("0", "3651", "-1", "x"):
        assert client.post(page, form | {"raw_days": wrong}).status_code == 200
    with in_tenant(acme.id):
        found = Tenant.objects.get()
    assert (found.history_days, found.raw_days, found.keep_raw) == (30, None, "all")


def test_owners_choose_what_is_copied_and_not_for_how_long(acme, client):
    client.force_login(acme.user("alice"))
    page = reverse("admin:tenants_tenant_change", args=[acme.id])
    form = {"name": "Acme", "language": "en", "time_zone": "UTC", "keep_raw": "off"}
    assert client.post(page, form | {"history_days": "1"}).status_code == 302
    with in_tenant(acme.id):
        found = Tenant.objects.get()
    assert (found.keep_raw, found.history_days) == ("off", None)


def test_a_body_is_shown_as_text_whatever_it_is(acme, client):
    bodies = [b'{"a": "<script>x</script>"}', b"<script>\x00\xff", b"[" * 200_000]
    with in_tenant(acme.id):
        rows = [
            RawEvent.objects.create(
                tenant_id=acme.id,
                at=NOW,
                protocol="events",
                outcome="refused",
                correlation_id=f"c-{number}",
                size=len(body) + 1,
                body=body,
            )
            for number, body in enumerate(bodies)
        ]
    client.force_login(acme.user("alice"))
    for row in rows:
        page = reverse("admin:alerts_rawevent_change", args=[row.pk])
        shown = client.get(page).content.decode()
        assert "<script>x" not in shown
        assert "Cut off here." in shown
    listed = reverse("admin:alerts_rawevent_changelist")
    found = client.get(listed + "?q=c-1").content.decode()
    assert f"/{rows[1].pk}/change/" in found
    assert f"/{rows[0].pk}/change/" not in found
