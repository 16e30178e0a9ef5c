"""How does a person make alerts: one by a form, many by a table?

Both take the road of every event, through the rules, in one commit.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alertcenter.alerts import again, intake
from alertcenter.alerts import severity as severities
from alertcenter.alerts.events import LONGEST_KEY, LONGEST_LINK, LONGEST_TITLE, Parsed
from alertcenter.alerts.models.choices import Severity
from alertcenter.alerts.pasting import label_lines
from alertcenter.alerts.sources.adapter import Incoming, event
from alertcenter.alerts.sources.bodies import as_text
from alertcenter.alerts.translate import Translated, translate
from tenants import audit, roles
from tenants.admin_base import may, membership_of

SOURCE = "manual"
LARGEST = 1 << 20
SHOWN = 50
AWAY = (intake.DatabaseAway, intake.Overloaded, TimeoutError)


class AlertForm(forms.Form):
    """What somebody saw that no tool did."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=LONGEST_TITLE)
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"),
        choices=Severity.choices,
        initial=severities.ERROR,
        coerce=int,
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    labels = forms.CharField(
        label=gettext_lazy("Labels"),
        required=False,
        max_length=20_000,
        help_text=gettext_lazy("name=value, one a line; routes see them."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=LONGEST_KEY,
        help_text=gettext_lazy("Alerts with the same key are one. Empty: the title."),
    )
    link = forms.URLField(
        label=gettext_lazy("Link"),
        required=False,
        max_length=LONGEST_LINK,
        assume_scheme="https",
    )
    hours = forms.IntegerField(
        label=gettext_lazy("Ends by itself after (hours)"),
        required=False,
        min_value=1,
        max_value=720,
    )

    def clean_labels(self) -> dict[str, str]:
        return label_lines(self.cleaned_data["labels"])

    def parsed(self) -> Parsed:
        """Return the one event of the form."""
        said = self.cleaned_data
        found = Parsed()
        made = event(
            SOURCE,
            title=said["title"],
            key=said["key"] or said["title"],
            severity=said["severity"],
            labels={"alertname": said["title"], **said["labels"]},
            annotations={"description": said["description"]},
            link=said["link"],
            ttl_seconds=said["hours"] * 3600 if said["hours"] else None,
        )
        found.add(0, made)
        return found


class TableForm(forms.Form):
    """A file, or the text of the one that was shown before."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(
        required=False, max_length=LARGEST, widget=forms.HiddenInput, strip=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file is not None:
            if file.size > LARGEST:
                raise ValidationError(_("The file is larger than 1 MB."))
            cleaned["text"] = as_text(file.read())
        if not cleaned.get("text"):
            raise ValidationError(_("Choose a file first."))
        return cleaned

    def translated(self) -> Translated:
        """Return the events of the table's lines."""
        return translate("csv", Incoming({"text": self.cleaned_data["text"]}))


class Manual:
    """Gives the admin of alerts its two pages to make some."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.new_view), name="alerts_alert_new"),
            path("upload/", view(self.upload_view), name="alerts_alert_upload"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def manual_links(self, request: HttpRequest) -> list[dict[str, str]]:
        """Return what leads to the pages, for who may use them."""
        if not may(request, roles.ACT):
            return []
        return [
            {"url": reverse("admin:alerts_alert_new"), "label": _("New alert")},
            {"url": reverse("admin:alerts_alert_upload"), "label": _("Upload")},
        ]

    def new_view(self, request: HttpRequest) -> HttpResponse:
        membership = self._admit(request)
        form = AlertForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            parsed = form.parsed()
            if self._kept(request, membership.tenant_id, parsed, SOURCE):
                title = parsed.events[0].title
                self._note(membership, title=title)
                self.say(request, _("Made: %(title)s") % {"title": title})  # type: ignore[attr-defined]
                return HttpResponseRedirect(reverse("admin:alerts_alert_changelist"))
        return self._page(request, "new_alert.html", _("New alert"), form=form)

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        membership = self._admit(request)
        posted = request.method == "POST"
        form = TableForm(request.POST or None, request.FILES or None)
        found = form.translated() if posted and form.is_valid() else None
        if found and not found.reason and "_send" in request.POST:
            count = len(found.parsed.events)
            if self._kept(request, membership.tenant_id, found.parsed, "csv"):
                self._note(membership, alerts=count)
                words = ngettext("%(n)d alert made.", "%(n)d alerts made.", count)
                self.say(request, words % {"n": count})  # type: ignore[attr-defined]
                return HttpResponseRedirect(reverse("admin:alerts_alert_changelist"))
        events = found.parsed.events if found and not found.reason else []
        return self._page(
            request,
            "upload_alerts.html",
            _("Upload alerts"),
            form=form,
            reason=found.reason if found else "",
            text=form.cleaned_data.get("text", "") if found else "",
            count=len(events),
            rows=[(one, severities.NAMES[one.severity]) for one in events[:SHOWN]],
        )

    def _admit(self, request: HttpRequest) -> Any:
        membership = membership_of(request)
        if not may(request, roles.ACT):
            raise PermissionDenied
        return membership

    def _kept(
        self, request: HttpRequest, tenant_id: UUID, parsed: Parsed, scope: str
    ) -> bool:
        try:
            again.keep(tenant_id, parsed, scope)
        except AWAY:
            words = _("The database does not answer; nothing was kept.")
            self.say(request, words, good=False)  # type: ignore[attr-defined]
            return False
        return True

    def _note(self, membership: Any, **data: Any) -> None:
        audit.record(
            membership.tenant_id,
            membership.actor,
            "alert.make",
            kind="alert",
            object_id=membership.tenant_id,
            **data,
        )

    def _page(
        self, request: HttpRequest, template: str, title: str, **more: Any
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            **more,
        }
        return TemplateResponse(request, f"admin/alertcenter/{template}", context)
