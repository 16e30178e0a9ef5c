"""Do new alerts get Prometheus' name?"""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Alert
from alertcenter.alerts.naming import name_alerts
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_new_alerts_get_their_name_once(acme, globex, send):
    send.prometheus(acme.id, {"labels": {"alertname": "Test"}})
    send.prometheus(globex.id, {"labels": {"alertname": "Test"}})
    with in_tenant(acme.id, globex.id):
        assert name_alerts([acme.id, globex.id]) == 2
        assert name_alerts([acme.id, globex.id]) == 0
        names = set(Alert.objects.values_list("fingerprint", flat=True))
    assert names == {"e46aaa9fcf75dd34"}
