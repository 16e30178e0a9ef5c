"""How does a person bring in an alertmanager.yml, or take one away?

The file is shown as a plan first; what is agreed to is that plan and no other.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from alertcenter.alerts.am_parts import Remark
from alertcenter.alerts.am_yaml import LARGEST, Document, spelled
from escalation.am_export import config_text
from escalation.am_import.actions import CHANGE, CREATE, LEAVE, Plan
from escalation.am_import.carrying import PlanChanged, carry_out, planned
from tenants import roles
from tenants.access import Membership
from tenants.admin_base import may, membership_of

VERDICTS = {
    CREATE: gettext_lazy("new"),
    CHANGE: gettext_lazy("changed"),
    LEAVE: gettext_lazy("stays"),
}
KINDS = {
    "interval": gettext_lazy("time interval"),
    "inhibition": gettext_lazy("inhibition"),
    "channel": gettext_lazy("channel"),
    "route": gettext_lazy("route"),
}


class ImportForm(forms.Form):
    """A file, or its text."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Or its text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )
    replace = forms.BooleanField(
        label=gettext_lazy("Its root takes the place of the default route"),
        required=False,
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Return the file's bytes as `body`."""
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file is not None:
            cleaned["body"] = file.read(LARGEST + 1)
        else:
            cleaned["body"] = (cleaned.get("text") or "").encode()
        if not cleaned["body"]:
            raise ValidationError(_("Choose a file first."))
        return cleaned


def import_view(request: HttpRequest) -> HttpResponse:
    """Show what a file would change, and change it once that is agreed to."""
    membership = admit(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return page(request, form)
    if "_apply" in request.POST:
        done = apply(request, membership, form)
        if done is not None:
            return done
    body, replace = form.cleaned_data["body"], form.cleaned_data["replace"]
    plan, document = planned(membership.tenant_id, body, replace=replace)
    return page(request, form, plan, document)


def apply(
    request: HttpRequest, membership: Membership, form: ImportForm
) -> HttpResponse | None:
    """Do what was shown. None: it was refused, or is something else by now."""
    given = form.cleaned_data
    try:
        plan, _document = carry_out(
            membership.tenant_id,
            given["body"],
            actor=membership.actor,
            replace=given["replace"],
            seen=given["seen"],
        )
    except PlanChanged:
        words = _("Something has changed meanwhile: look at the plan once more.")
        messages.warning(request, words)
        return None
    if plan.errors:
        return None
    words = _("Imported: %(new)d new, %(changed)d changed, %(same)d stay.")
    counts = plan.counts
    said = {"new": counts[CREATE], "changed": counts[CHANGE], "same": counts[LEAVE]}
    messages.success(request, words % said)
    return HttpResponseRedirect(reverse("admin:alerts_route_changelist"))


@require_safe
def export_view(request: HttpRequest) -> HttpResponse:
    """Hand out the tenant's set-up as alertmanager.yml, secrets hidden."""
    membership = admit(request)
    return HttpResponse(
        config_text(membership.tenant_id),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="alertmanager.yml"'},
    )


def admit(request: HttpRequest) -> Membership:
    """Return where the person stands. Raises Http404 and PermissionDenied."""
    membership = membership_of(request)
    if not may(request, roles.CONFIGURE):
        raise PermissionDenied
    return membership


def page(
    request: HttpRequest,
    form: ImportForm,
    plan: Plan | None = None,
    document: Document | None = None,
) -> HttpResponse:
    context = admin.site.each_context(request) | {
        "title": _("Import alertmanager.yml"),
        "form": form,
        "plan": plan,
    }
    if plan is not None:
        context |= {
            "actions": [
                (VERDICTS[one.verdict], KINDS[one.kind], one) for one in plan.actions
            ],
            "errors": told(plan.errors, document),
            "untold": told(plan.untold, document),
            "lost": told(plan.lost, document),
            "text": form.cleaned_data["body"].decode("utf-8", "replace"),
            "replace": form.cleaned_data["replace"],
        }
    template = "admin/alertcenter/import_alertmanager.html"
    return TemplateResponse(request, template, context)


def told(
    remarks: list[Remark], document: Document | None
) -> list[tuple[str, int, str]]:
    """Return (path, line, sentence) of each remark; line 0 where there is none."""
    return [
        (spelled(r.path), document.line(r.path) if document and r.path else 0, r.text)
        for r in remarks
    ]


admin.site.pages += [  # type: ignore[attr-defined]
    path(
        "alertmanager/",
        admin.site.admin_view(import_view),
        name="alertmanager_import",
    ),
    path(
        "alertmanager/export/",
        admin.site.admin_view(export_view),
        name="alertmanager_export",
    ),
]
