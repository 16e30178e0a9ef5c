"""Where does a line of an explanation lead?"""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import NoReverseMatch, reverse

from escalation.explain.trace import Link

# The admin's pages, for those who may go there.
ADMIN: Mapping[str, str] = {
    "rule": "alerts_rule",
    "route": "alerts_route",
    "silence": "alerts_silence",
    "inhibit_rule": "alerts_inhibitrule",
    "interval": "alerts_timeinterval",
    "service": "alerts_service",
    "policy": "escalation_policy",
    "channel": "notifications_channel",
    "delivery": "notifications_delivery",
}


def url_of(link: Link | None, slug: str, *, staff: bool) -> str:
    """Return the path of the page about this; "" where there is none to see."""
    if link is None or not link.id:
        return ""
    if link.kind == "group":
        return reverse("group", args=[slug, int(link.id)])
    if link.kind == "alert":
        return f"{reverse('explain', args=[slug])}?alert={link.id}"
    name = ADMIN.get(link.kind)
    if name is None or not staff:
        return ""
    try:
        return reverse(f"admin:{name}_change", args=[link.id])
    except NoReverseMatch:
        return ""
