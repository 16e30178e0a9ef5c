"""Which admin is it? Django's own, opened inside one tenant at a time."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class AlertCenterAdminConfig(AdminConfig):
    default_site = "tenants.site.AlertCenterAdminSite"
