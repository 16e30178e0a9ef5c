"""How does a Slack account become a member's? He opens the link that Slack showed him.

GET shows whose account it is and changes nothing; only the form's POST does.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from alertcenter.api.slack_people import Stranger, invited
from notifications.models import Contact
from tenants import audit
from tenants.access import Membership, memberships
from tenants.rls import in_tenant


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, ticket: str) -> HttpResponse:
    """Ask whether this Slack account is the person's own, and remember it."""
    stranger = invited(ticket)
    who = stranger and place_of(request, stranger)
    if not stranger or not who:
        raise Http404
    told = {"stranger": stranger, "who": who, "done": False, "refusal": ""}
    if request.method == "POST":
        told["refusal"] = remember(stranger, who)
        told["done"] = not told["refusal"]
    response = render(request, "slack/connect.html", told)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def place_of(request: HttpRequest, stranger: Stranger) -> Membership | None:
    """Return where the person stands in the tenant of the link; operators are none."""
    for one in memberships(request.user.pk):
        if one.tenant_id == stranger.tenant_id and one.member_id is not None:
            return one
    return None


def remember(stranger: Stranger, who: Membership) -> str:
    """Make the account a contact; return why not, "" when it is the member's now."""
    with in_tenant(who.tenant_id):
        row, new = Contact.objects.get_or_create(
            tenant_id=who.tenant_id,
            kind="slack",
            address=stranger.user_id,
            defaults={"member_id": str(who.member_id)},
        )
        if str(row.member_id) != str(who.member_id):
            return _("This Slack account belongs to another member already.")
        if new:
            audit.record(
                who.tenant_id,
                who.actor,
                "contact.connected",
                kind="contact",
                object_id=row.pk,
                address=stranger.user_id,
            )
    return ""
