"""What does an operator or a tenant's administrator see of Slack? One page: add the
app, and how the app is made."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from alertcenter.api import slack_config, slack_manifest, slack_oauth
from alertcenter.api.slack_config import ConfigError
from notifications.models import Channel
from tenants import roles
from tenants.admin_base import may, membership_of


@require_safe
def slack_page(request: HttpRequest) -> HttpResponse:
    """Show what is connected, the way to connect, and the app's manifest."""
    if not may(request, roles.CONFIGURE):
        raise PermissionDenied
    return shown(request)


def shown(request: HttpRequest, text: str | None = None) -> HttpResponse:
    """Return the page; `text` is a configuration that was refused."""
    who = membership_of(request)
    rows = Channel.objects.filter(tenant_id=who.tenant_id, kind="slack")
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": _("Slack"),
        "channels": rows.order_by("name"),
        "start": f"{reverse('slack-oauth-start')}?tenant={who.slug}",
        "offered": slack_oauth.is_offered(),
        "manifest": slack_manifest.as_yaml(settings.BASE_URL),
        "create_url": slack_manifest.create_url(settings.BASE_URL),
        "config": slack_config.written(who.tenant_id) if text is None else text,
        "public": settings.BASE_URL.startswith("https://"),
    }
    return TemplateResponse(request, "admin/alertcenter/slack.html", context)


@require_POST
def configure(request: HttpRequest) -> HttpResponse:
    """Make the channels as the text says, or say where it is wrong."""
    if not may(request, roles.CONFIGURE):
        raise PermissionDenied
    who = membership_of(request)
    text = request.POST.get("config", "")
    try:
        wanted = slack_config.read(text)
        made = slack_config.apply(who.tenant_id, wanted, actor=who.actor)
    except ConfigError as error:
        messages.error(request, f"{error.path} {error.words}".strip())
        return shown(request, text)
    names = ", ".join(channel.slug for channel in made)
    messages.success(request, _("As written: %(channels)s") % {"channels": names})
    return HttpResponseRedirect(reverse("admin:slack"))


@require_safe
def manifest_file(request: HttpRequest) -> HttpResponse:
    """Give the manifest as a file."""
    if not may(request, roles.CONFIGURE):
        raise PermissionDenied
    text = slack_manifest.as_yaml(settings.BASE_URL)
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="slack-app.yml"'
    return response


admin.site.pages += [  # type: ignore[attr-defined]
    path("slack/config/", admin.site.admin_view(configure), name="slack_config"),
    path("slack/", admin.site.admin_view(slack_page), name="slack"),
    path(
        "slack/manifest.yml",
        admin.site.admin_view(manifest_file),
        name="slack_manifest",
    ),
]
