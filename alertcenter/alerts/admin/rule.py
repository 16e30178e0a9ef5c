"""How does a person write a rule? Conditions and labels, one a line."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts.admin.shown import label_list, severity_pill
from alertcenter.alerts.models import Rule
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_forms import LinesField, PairsField, TenantForm


class RuleForm(TenantForm):
    """A rule must do something."""

    matchers = LinesField(
        label=gettext_lazy("Conditions"),
        required=False,
        help_text=gettext_lazy(
            'One a line, for example team="db" or env=~"prod|stage"; none at all '
            "matches every event."
        ),
    )
    set_labels = PairsField(
        label=gettext_lazy("Set labels"),
        required=False,
        help_text=gettext_lazy(
            "name=value, one a line; an empty value removes the label."
        ),
    )

    class Meta:
        model = Rule
        fields = (
            "name",
            "active",
            "position",
            "matchers",
            "drop",
            "set_severity",
            "set_labels",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        does = ("drop", "set_severity", "set_labels")
        if not self.errors and not any(cleaned.get(name) for name in does):
            raise ValidationError(
                _("Say what the rule does: drop, set a severity, or set labels.")
            )
        return cleaned


@admin.register(Rule)
class RuleAdmin(TenantScopedAdmin):
    """Rules in the order in which they run."""

    section = "rules"
    section_order = 10
    form = RuleForm
    list_display = ("name", "position", "conditions", "effect", "active")
    list_filter = ("active", "drop")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "active", "position")}),
        (gettext_lazy("When"), {"fields": ("matchers",)}),
        (gettext_lazy("Then"), {"fields": ("drop", "set_severity", "set_labels")}),
    )

    @admin.display(description=gettext_lazy("conditions"))
    def conditions(self, rule: Rule) -> str:
        return ", ".join(map(str, rule.matchers)) or _("every event")

    @admin.display(description=gettext_lazy("effect"))
    def effect(self, rule: Rule) -> SafeString | str:
        if rule.drop:
            return _("drop")
        if rule.set_severity:
            return severity_pill(rule.set_severity) + label_list(rule.set_labels)
        return label_list(rule.set_labels)
