"""How does the admin work inside one tenant?"""

from __future__ import annotations

from django.contrib import admin


class AlertCenterAdminSite(admin.AdminSite):
    """Django's admin site."""
