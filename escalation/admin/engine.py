"""What is the engine doing? Runs, due steps and processes, to read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.lifecycle import database_time
from escalation import auditor
from escalation.models import DueStep, EngineHeartbeat, Run
from tenants.admin_base import OperatorsOnly, ReadOnlyAdmin, ReadOnlyInline


class DueStepInline(ReadOnlyInline, admin.TabularInline):
    """The steps of one run."""

    model = DueStep
    fields = ("position", "round", "due_at", "done_at", "state", "attempts", "error")
    readonly_fields = fields
    ordering = ("id",)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Policies at work."""

    section_order = 40
    list_display = ("policy_name", "group", "state", "created_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("group",)
    search_fields = ("policy_name",)
    ordering = ("-id",)
    fields = ("group", "policy_name", "state", "steps", "created_at", "ended_at")
    readonly_fields = fields
    inlines = (DueStepInline,)

    @admin.display(description=_("steps"))
    def steps(self, run: Run) -> SafeString:
        text = json.dumps(run.snapshot, ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)


@admin.register(DueStep)
class DueStepAdmin(ReadOnlyAdmin):
    """What is to happen next, and what has."""

    section_order = 50
    list_display = ("due_at", "to_run", "position", "state", "attempts", "error")
    list_filter = ("state",)
    list_select_related = ("run",)
    search_fields = ("=run__policy_name", "error")
    ordering = ("-id",)
    fields = (
        "to_run",
        "position",
        "round",
        "due_at",
        "done_at",
        "state",
        "attempts",
        "error",
    )
    readonly_fields = fields

    @admin.display(description=_("run"))
    def to_run(self, step: DueStep) -> SafeString:
        url = reverse("admin:escalation_run_change", args=[step.run_id])
        return format_html('<a href="{}">{}</a>', url, step.run.policy_name)


@admin.register(EngineHeartbeat)
class HeartbeatAdmin(OperatorsOnly, admin.ModelAdmin):
    """Which processes are alive; for operators."""

    section_order = 5
    list_display = ("process", "at", "state", "version", "data")
    search_fields = ("process",)
    readonly_fields = ("process", "at", "state", "version", "data")

    @admin.display(description=_("state"))
    def state(self, row: EngineHeartbeat) -> str:
        """What the auditor found at its last look; whether a dispatcher works."""
        if row.process == auditor.ROW:
            found = [
                f"{name}: {number}"
                for name in auditor.KINDS
                if (number := row.data.get(name))
            ]
            return ", ".join(found) or str(_("nothing wrong"))
        since = database_time() - row.at
        if since > timedelta(seconds=auditor.SILENT_SECONDS):
            return str(_("silent"))
        return str(row.data.get("stuck") or _("well"))

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False
