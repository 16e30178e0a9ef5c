"""How does a delivery reach Slack where all there is is an incoming webhook?

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: one URL posts
to one channel, and that is all it can do. Nothing is redrawn, there is no thread, and
links that we signed stand where buttons would (a press would reach nobody).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import signing
from notifications.channels import block_kit, http, simulated, slack_api
from notifications.channels.base import DeliveryError, Parcel, Receipt, Setting, Spec

PATHS = ("/services/", "/triggers/", "/workflows/")


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    body = body_of(parcel)
    if settings.SIMULATION:
        text = "\n".join(texts_of(body))
        place = str(parcel.settings.get("channel") or "Slack")
        return simulated.keep(
            parcel, to=place, title=str(body["text"]), text=text, sent=body
        )
    url = parcel.secret.get("webhook_url") or settings.SLACK_WEBHOOK_URL
    if not url:
        raise DeliveryError("the channel has no webhook address", permanent=True)
    slack_api.require(url, hosts=slack_api.HOOK_HOSTS)
    # Slack answers "ok", or a code such as no_service with a status that says enough:
    # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
    answer = http.call(url, json_body=body)
    return Receipt(answer=http.need_success(answer))


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return what is posted."""
    if parcel.kind == "test":
        return block_kit.test(parcel)
    if parcel.kind == "reply":
        return block_kit.named_line(parcel)
    return block_kit.page_with_links(parcel, links_of(parcel))


def links_of(parcel: Parcel) -> list[tuple[str, str]]:
    """Return (label, address) of what the reader can do."""
    signed = getattr(signing, "act_links", None)
    found = [(label, url) for _act, label, url in (signed(parcel) if signed else [])]
    if parcel.message.url:
        found.append((_("Open"), parcel.message.url))
    return found


def texts_of(body: dict[str, Any]) -> list[str]:
    """Return the texts of a body, for a page that draws no blocks."""
    found = []
    for block in body.get("blocks") or [{"text": {"text": body["text"]}}]:
        parts = [block.get("text"), *block.get("elements", [])]
        found += [str(part["text"]) for part in parts if part and "text" in part]
    return found


def a_hook(url: str) -> str:
    """Return the address of a webhook. Raises ValidationError."""
    url = str(url or "").strip()
    if not url:
        return ""
    said = _("Such an address begins with https://hooks.slack.com/services/.")
    try:
        slack_api.require(url, hosts=slack_api.HOOK_HOSTS)
    except DeliveryError as error:
        raise ValidationError(said) from error
    if not any(path in url for path in PATHS):
        raise ValidationError(said)
    return url


SPEC = Spec(
    kind="slack_webhook",
    label=gettext_lazy("Slack (incoming webhook)"),
    about=gettext_lazy(
        "Posts, and no more: nothing is redrawn, there is no thread, and signed links "
        "stand where buttons would. The app can do all of that."
    ),
    settings=(
        Setting(
            "channel",
            gettext_lazy("Slack channel"),
            gettext_lazy("For people to read; the address alone decides."),
        ),
        Setting(
            "webhook_url",
            gettext_lazy("Address"),
            gettext_lazy("Such as https://hooks.slack.com/services/T…/B…/…"),
            secret=True,
            check=a_hook,
        ),
    ),
    place=lambda settings: str(settings.get("channel") or ""),
    updates=False,
    # https://docs.slack.dev/apis/web-api/rate-limits: one message a second
    pace=1.0,
)
