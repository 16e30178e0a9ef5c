"""How does a person say that one alert keeps others quiet, and see what it does?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from alertcenter.alerts import inhibit_rules
from alertcenter.alerts.models import InhibitRule
from alertcenter.alerts.models.conditions import validate_matchers
from tenants.admin_base import TenantScopedAdmin, membership_of, tenant_of
from tenants.admin_forms import LinesField, TenantForm

MOST_LINES = 50


class InhibitForm(TenantForm):
    """Conditions on either side, one a line."""

    source_matchers = LinesField(
        label=gettext_lazy("While one of these fires"),
        help_text=gettext_lazy(
            'One condition a line, for example severity="critical".'
        ),
    )
    target_matchers = LinesField(
        label=gettext_lazy("These are quiet"),
        help_text=gettext_lazy('For example severity=~"warning|info".'),
    )
    equal = LinesField(
        label=gettext_lazy("If they agree in these labels"),
        required=False,
        help_text=gettext_lazy(
            "Label names, one a line; a label that both lack is equal. With none, "
            "one source keeps all of them quiet."
        ),
    )

    class Meta:
        model = InhibitRule
        fields = ("name", "active", "source_matchers", "target_matchers", "equal")

    class Media:
        js = ("admin/alertcenter/reach.js",)

    def clean_source_matchers(self) -> list[str]:
        return self._few("source_matchers")

    def clean_target_matchers(self) -> list[str]:
        return self._few("target_matchers")

    def _few(self, name: str) -> list[str]:
        lines: list[str] = self.cleaned_data[name]
        if len(lines) > MOST_LINES:
            raise ValidationError(_("At most %(most)s lines.") % {"most": MOST_LINES})
        if not lines:
            raise ValidationError(_("Give at least one condition."))
        return lines

    def clean_equal(self) -> list[str]:
        names: list[str] = self.cleaned_data["equal"]
        for name in names:
            if "=" in name or " " in name:
                raise ValidationError(
                    _("%(name)s is not the name of a label."), params={"name": name}
                )
        return list(dict.fromkeys(names))


@admin.register(InhibitRule)
class InhibitRuleAdmin(TenantScopedAdmin):
    """Alerts that keep others quiet while they fire."""

    section = "quiet"
    section_order = 30
    form = InhibitForm
    change_form_template = "admin/alertcenter/reach_form.html"
    list_display = ("name", "sources", "targets", "agreeing", "active")
    list_filter = ("active",)
    search_fields = ("name",)
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "active")}),
        (
            gettext_lazy("What keeps what quiet"),
            {"fields": ("source_matchers", "target_matchers", "equal")},
        ),
    )

    # --- what the pages say ---

    @admin.display(description=gettext_lazy("while one of these fires"))
    def sources(self, row: InhibitRule) -> SafeString:
        return lines(row.source_matchers)

    @admin.display(description=gettext_lazy("these are quiet"))
    def targets(self, row: InhibitRule) -> SafeString:
        return lines(row.target_matchers)

    @admin.display(description=gettext_lazy("if they agree in"))
    def agreeing(self, row: InhibitRule) -> str:
        return ", ".join(map(str, row.equal)) or "–"

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        context["reach_url"] = reverse("admin:alerts_inhibitrule_preview")
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what it would do now ---

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        own = [path("preview/", view, name="alerts_inhibitrule_preview")]
        return [*own, *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> JsonResponse:
        """Say what a rule with these conditions would do. Changes nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        field = LinesField(required=False)
        try:
            source, target, equal = (
                field.clean(request.POST.get(name, "")[:10_000])[:MOST_LINES]
                for name in ("source_matchers", "target_matchers", "equal")
            )
            if not source or not target:
                return JsonResponse({"sentence": _("Give conditions on both sides.")})
            validate_matchers([*source, *target])
        except ValidationError as error:
            return JsonResponse({"sentence": error.messages[0], "alarming": True})
        found = inhibit_rules.preview(tenant_of(request), source, target, equal)
        return JsonResponse(
            {
                "sentence": sentence(found),
                "examples": [
                    {
                        "text": one.title,
                        "url": reverse("admin:alerts_alert_change", args=[one.id]),
                        "note": _("because of: %(title)s") % {"title": one.by},
                    }
                    for one in found.examples
                ],
            }
        )

    # --- marks follow ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        membership = membership_of(request)
        if change and obj.tenant_id != membership.tenant_id:
            raise PermissionDenied
        obj.tenant_id = membership.tenant_id
        inhibit_rules.save(obj, actor=membership.actor)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        inhibit_rules.remove([obj], actor=membership_of(request).actor)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        inhibit_rules.remove(list(queryset), actor=membership_of(request).actor)


def lines(texts: list[Any]) -> SafeString:
    items = format_html_join("", "<li>{}</li>", ((text,) for text in texts))
    return format_html('<ul class="labels">{}</ul>', items)


def sentence(found: inhibit_rules.Preview) -> str:
    """Return in words what a preview found."""
    numbers = {"muted": found.muted, "sources": found.sources}
    text = ngettext(
        "%(sources)d alert that fires now is a source; %(muted)d would be quiet.",
        "%(sources)d alerts that fire now are sources; %(muted)d would be quiet.",
        found.sources,
    )
    said = text % numbers
    return f"{said} {_('At least: so many fire.')}" if found.cut else said
