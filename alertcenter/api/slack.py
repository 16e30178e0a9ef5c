"""What does Slack call? Verify, store, answer within three seconds.

A press is acted on by the engine, right after. A command or a form that somebody sent
off waits for words: its row is committed too, then acted on at once in this process;
whatever that cannot do in time is the engine's, which answers later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps

from django.db import DataError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from alertcenter.api import slack_dialogs, slack_home, slack_story, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.api.inbox import do_now, process_inbox, prune_inbox
from alertcenter.api.models import SlackInbox
from alertcenter.api.slack_said import Said
from alertcenter.api.slack_signing import (
    Payload,
    Refusal,
    Sender,
    bad_body,
    clean,
    command_payload,
    form_payload,
    json_payload,
    part,
    verified,
)
from alertcenter.common import tracing
from tenants.rls import in_tenant

__all__ = ["commands", "events", "interactions", "process_inbox", "prune_inbox"]

View = Callable[[HttpRequest], HttpResponse]


def for_slack(view: View) -> View:
    """Let Slack call the view, and answer what it refuses."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Refusal as refusal:
            return refused(refusal)
        except DATABASE_AWAY:
            message = _("The database does not answer. Please press again.")
            return refused(Refusal(503, "database_away", message))

    return inner


@for_slack
def interactions(request: HttpRequest) -> HttpResponse:
    """Take what people press, choose and write."""
    payload = form_payload(request)
    sender = verified(request, payload)
    if payload.get("type") == "view_submission":
        return sent_off(request, sender, payload)
    if slack_dialogs.is_writing(payload):
        slack_dialogs.redraw(sender, payload)
        return HttpResponse(status=200)
    wanted = slack_dialogs.asks_for(sender, payload)
    if wanted and not slack_dialogs.open_form(sender, payload, wanted):
        return HttpResponse(status=200)
    store(request, sender, payload)
    return HttpResponse(status=200)


def sent_off(request: HttpRequest, sender: Sender, payload: Payload) -> HttpResponse:
    """Do what a form asks for: it closes, shows what is wrong, or says what came of it.

    https://docs.slack.dev/surfaces/modals#handling_submissions
    """
    row = store(request, sender, payload)
    said = do_now(sender.tenant_id, row) if row else None
    if said and said.errors:
        told = {"response_action": "errors", "errors": dict(said.errors)}
        return JsonResponse(told)
    if said and said.view:
        return JsonResponse({"response_action": "update", "view": said.view})
    return HttpResponse(status=200)


@for_slack
def commands(request: HttpRequest) -> HttpResponse:
    """Do what a slash command says; only the one who wrote it sees the answer."""
    payload = command_payload(request)
    sender = verified(request, payload)
    row = store(request, sender, payload)
    if row is None:
        return answered(Said(_("This has been done already.")))
    said = do_now(sender.tenant_id, row)
    return answered(said or Said(_("This takes a moment; the answer follows.")))


@for_slack
def events(request: HttpRequest) -> HttpResponse:
    """Take what happens in Slack: replies in our threads, our home, our links.

    Slack's check of this URL is answered. What is repeated changes nothing.
    """
    payload = json_payload(request)
    if payload.get("type") == "url_verification":
        return JsonResponse({"challenge": str(payload.get("challenge", ""))})
    sender = verified(request, payload)
    event = part(payload, "event")
    if slack_story.is_reply(event) and is_ours(sender, event):
        store(request, sender, payload, once=once_of(payload))
    elif event.get("type") == "app_home_opened" and event.get("tab") == "home":
        slack_home.show_home(sender, payload)
    elif event.get("type") == "link_shared":
        slack_home.unfurl(sender, payload)
    return HttpResponse(status=200)


def is_ours(sender: Sender, event: Payload) -> bool:
    """Whether it was said below a group's message."""
    place, root = event.get("channel"), event.get("thread_ts")
    with in_tenant(sender.tenant_id):
        return slack_story.group_of_thread(sender.tenant_id, place, root) is not None


def once_of(payload: Payload) -> str:
    """Return the name under which an event is kept once, however often it comes."""
    event_id = clean(payload.get("event_id"))
    return f"event/{event_id}" if event_id else ""


# --- storing ---


def store(
    request: HttpRequest, sender: Sender, payload: Payload, once: str = ""
) -> int | None:
    """Keep the callback once, and wake the engine; return its row, None for a replay.

    `once` names what must not be done twice; without it that is the signature.
    """
    once = once or request.headers["X-Slack-Signature"]
    row = SlackInbox(
        tenant_id=sender.tenant_id,
        channel_id=sender.channel_id,
        signature_sha256=hashlib.sha256(once.encode()).hexdigest(),
        body=dict(payload),
        correlation_id=tracing.current(),
    )
    try:
        with in_tenant(sender.tenant_id):
            pk = insert(row)
    except DataError as error:  # NUL or half a surrogate pair
        raise bad_body() from error
    telemetry.SLACK.labels("kept" if pk else "replayed").inc()
    return pk


def insert(row: SlackInbox) -> int | None:
    """Write the row unless it is known; return its id if it is new."""
    known = SlackInbox.objects.filter(
        tenant_id=row.tenant_id, signature_sha256=row.signature_sha256
    )
    if known.exists():
        return None
    # Two copies at once: the unique key lets one of them in.
    SlackInbox.objects.bulk_create([row], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY ac_feed")
    return known.values_list("pk", flat=True).get()


# --- answering ---


def answered(said: Said) -> HttpResponse:
    return JsonResponse(said.ephemeral())


def refused(refusal: Refusal) -> HttpResponse:
    telemetry.SLACK.labels(refusal.code).inc()
    told = {"code": refusal.code, "message": refusal.message}
    return JsonResponse(told, status=refusal.status, headers=refusal.headers)
