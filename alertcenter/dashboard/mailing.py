"""What do the links in a mail's head and foot do? Stop mails, and say it was opened.

https://www.rfc-editor.org/rfc/rfc8058: a mailbox posts `List-Unsubscribe=One-Click`,
without cookies, to the address in List-Unsubscribe, and a GET there must stop nothing.
"""

from __future__ import annotations

import base64

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from alertcenter.dashboard.signed import PRESSES, guessed, signed_page, too_many
from notifications import signing, stopping
from notifications.models import Delivery
from notifications.signing import BadLink, Subscription
from tenants.models import Tenant
from tenants.rls import in_tenant

ONE_CLICK = ("List-Unsubscribe", "One-Click")
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# One row a delivery, however often the picture is asked for, which whoever has the
# address may do.
OPENED = """
INSERT INTO mail_opening (tenant_id, delivery_id) VALUES (%s, %s)
ON CONFLICT (tenant_id, delivery_id) DO UPDATE
SET last_at = now(), times = least(mail_opening.times + 1, 1000)
"""


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscription(request: HttpRequest, token: str) -> HttpResponse:
    """Say whether mails are sent to an address, and stop or resume them.

    Raises Http404.
    """
    try:
        asked = signing.read_subscription(token)
    except BadLink as error:
        return guessed(request, error)
    if wait := PRESSES.wait(token):
        return too_many(wait)
    with in_tenant(asked.tenant_id):
        tenant = Tenant.objects.filter(pk=asked.tenant_id).first()
        if tenant is None:
            raise Http404
        if request.method == "POST":
            PRESSES.take(token)
            change(request, asked)
            if request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]:
                return HttpResponse(_("Stopped."), content_type="text/plain")
        context = {
            "tenant": tenant,
            "address": asked.address,
            "stopped": stopping.is_stopped(asked.tenant_id, asked.address),
        }
        return signed_page(request, "dashboard/subscription.html", context)


def change(request: HttpRequest, asked: Subscription) -> None:
    """Stop or resume, whichever the form says; in the tenant's context."""
    actor = stopping.reader_of(asked.tenant_id, asked.member_id, asked.address)
    if request.POST.get("do") == "resume":
        stopping.resume(asked.tenant_id, asked.address, actor=actor)
    elif request.POST.get("do") == "stop" or ONE_CLICK in request.POST.items():
        stopping.stop(asked.tenant_id, asked.address, actor=actor)


@never_cache
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Return a picture of one dot, and write down that it was asked for: not each
    time, where somebody asks without end."""
    try:
        tenant_id, delivery_id = signing.read_opened(token)
    except BadLink as error:
        return guessed(request, error)
    counts = request.method == "GET" and not PRESSES.wait(token)
    if not counts:
        return HttpResponse(PICTURE, content_type="image/gif")
    PRESSES.take(token)
    with in_tenant(tenant_id):
        mine = Delivery.objects.filter(tenant_id=tenant_id, pk=delivery_id)
        if mine.exists():
            with connection.cursor() as cursor:
                cursor.execute(OPENED, [tenant_id, delivery_id])
    return HttpResponse(PICTURE, content_type="image/gif")
