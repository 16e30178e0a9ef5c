"""Which fields has the form of a step? Those of all kinds; each kind keeps its own.

A script shows only the fields of the chosen kind; without it all are there, and what
belongs to another kind is left out when the form is saved.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.choices import Severity
from escalation.limits import MOST_STEPS
from escalation.models import Policy, Step, Team
from escalation.steps.conditions import DAY_WORDS
from escalation.steps.fields import COLUMNS, Field
from escalation.steps.registry import kinds
from tenants.admin_base import TenantInline
from tenants.admin_forms import TenantForm
from tenants.admin_timezones import ZoneInput
from tenants.models import Member

MODELS: dict[str, Any] = {"members": Member, "team": Team, "policy": Policy}


def params() -> dict[str, Field]:
    """Return every field that some kind is told, by name, columns left out."""
    return {
        field.name: field
        for kind in kinds().values()
        for field in kind.fields
        if field.kind != "column"
    }


def form_field(field: Field) -> forms.Field:
    """Return the form's field; whether it is required is the kind's to say."""
    same = {"label": capfirst(field.label), "help_text": field.help, "required": False}
    if field.kind == "members":
        rows = Member.objects.none()
        return forms.ModelMultipleChoiceField(
            rows, widget=forms.CheckboxSelectMultiple, **same
        )
    if field.kind in MODELS:
        return forms.ModelChoiceField(MODELS[field.kind].objects.none(), **same)
    if field.kind == "severity":
        choices = [("", "---------"), *reversed(Severity.choices)]
        return forms.ChoiceField(choices=choices, **same)
    if field.kind == "choice":
        return forms.ChoiceField(choices=field.choices, **same)
    if field.kind == "number":
        # The bounds are read with the kind: which may be stricter than another.
        return forms.IntegerField(min_value=field.least, max_value=field.most, **same)
    if field.kind == "days":
        return forms.MultipleChoiceField(
            choices=list(DAY_WORDS.items()), widget=forms.CheckboxSelectMultiple, **same
        )
    if field.kind == "clock":
        clock = forms.TextInput(attrs={"type": "time", "class": "vTimeField"})
        return forms.CharField(widget=clock, **same)
    if field.kind == "zone":
        return forms.CharField(widget=ZoneInput, **same)
    return forms.CharField(max_length=field.most or None, **same)


class StepForm(TenantForm):
    """One step; `params` are fields of their own."""

    class Meta:
        model = Step
        fields = ("position", "kind", *COLUMNS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant_id = self.membership.tenant_id
        self._params = params()
        held = self.instance.params or {}
        for name, field in self._params.items():
            mine: Any = self.fields[name]
            if field.kind in MODELS:
                rows = MODELS[field.kind].objects.filter(tenant_id=tenant_id)
                if field.kind == "members":
                    rows = rows.filter(active=True)
                mine.queryset = rows.order_by("name")
            self.initial.setdefault(name, held.get(name, field.default))
        needed = {k: [f.name for f in kind.fields] for k, kind in kinds().items()}
        if "kind" in self.fields:
            self.fields["kind"].widget.attrs["data-fields"] = json.dumps(needed)

    def has_changed(self) -> bool:
        """A new row of which only the place was set is empty: our script set it."""
        changed = super().has_changed()
        if self.instance._state.adding and not self.data.get(self.add_prefix("kind")):
            return bool(set(self.changed_data) & set(COLUMNS))
        return changed

    def clean(self) -> dict[str, Any]:
        """Keep what the kind is told."""
        cleaned = super().clean() or {}
        kind = kinds().get(cleaned.get("kind", ""))
        wanted = {field.name for field in kind.fields} if kind else set()
        for name in set(COLUMNS) - wanted:
            cleaned[name] = None
        self.instance.params = {
            name: self._value(name, cleaned.get(name))
            for name in wanted & set(self._params)
            if name not in self.errors and cleaned.get(name) not in (None, "", [])
        }
        return cleaned

    def _value(self, name: str, value: Any) -> Any:
        """Return what is stored; a list of members keeps its order, for turns."""
        kind = self._params[name].kind
        if kind == "members":
            chosen = [str(member.pk) for member in value]
            before = (self.instance.params or {}).get(name) or []
            kept = [pk for pk in before if pk in chosen]
            return kept + [pk for pk in chosen if pk not in kept]
        return str(value.pk) if kind in MODELS else value


for _name, _field in params().items():
    StepForm.declared_fields[_name] = form_field(_field)
    StepForm.base_fields[_name] = StepForm.declared_fields[_name]


class StepInline(TenantInline, admin.StackedInline):
    """Steps; each shows only the fields that its kind is told."""

    model = Step
    form = StepForm
    extra = 1
    min_num = 1
    most = MOST_STEPS
    verbose_name_plural = _("steps")

    class Media:
        js = ("admin/alertcenter/steps.js",)

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj)
        names = (*COLUMNS, *params()) if may else ()  # the page says it in sentences
        return [(None, {"fields": (("position", "kind"), *names)})]

    def get_formset(self, request: Any, obj: Any = None, **kwargs: Any) -> Any:
        """A policy needs at least one step."""
        kwargs |= {"validate_min": True, "fields": StepForm.Meta.fields}
        return super().get_formset(request, obj, **kwargs)

    def get_extra(self, request: Any, obj: Any = None, **kwargs: Any) -> int:
        return 2 if obj is None else 1
