"""How does a form of Slack's open, look and leave in the outbox? As a plain HTML form.

What is filled in travels as Slack's own signed view_submission; what Slack would answer
to the app's answer is shown: errors beside their fields, a next view, or nothing.
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from alertcenter.dashboard.simulation.mrkdwn import plain, spans
from notifications.models import SimulatedMessage

TRIGGER = "trigger:"
MOST_LETTERS = 3_000

Json = dict[str, Any]


def await_form(tenant_id: UUID, channel_id: UUID | None, user: Json) -> str:
    """Return a trigger_id, with which the app may open one form for this user."""
    trigger = TRIGGER + secrets.token_hex(16)
    SimulatedMessage.objects.create(
        tenant_id=tenant_id,
        kind="slack",
        channel_id=channel_id,
        ts=f"V{secrets.token_hex(10).upper()}",
        thread_ts=trigger,
        payload={"user": user},
    )
    return trigger


def opened(tenant_id: UUID, trigger: str) -> SimulatedMessage | None:
    """Return the form that the app opened; what waits for none is forgotten."""
    rows = SimulatedMessage.objects.filter(tenant_id=tenant_id, thread_ts=trigger)
    row = rows.first()
    if row is not None and "view" not in row.payload:
        row.delete()
        return None
    return row


def form_of(tenant_id: UUID, number: int) -> SimulatedMessage | None:
    """Return a form that was opened."""
    rows = SimulatedMessage.objects.filter(
        tenant_id=tenant_id, pk=number, kind="slack", thread_ts__startswith=TRIGGER
    )
    row = rows.first()
    return row if row is not None and "view" in row.payload else None


def show(row: SimulatedMessage, view: Json) -> str:
    """Let the form look so from now on; return its new hash."""
    row.payload = row.payload | {"view": view, "hash": secrets.token_hex(4)}
    row.save(update_fields=["payload"])
    return str(row.payload["hash"])


# --- how it looks ---


def fields(
    view: Json,
    given: Mapping[str, str],
    errors: Mapping[str, str],
    people: list[tuple[str, str]],
) -> list[Json]:
    """Return what the page draws: fields with what stands in them, and sentences."""
    drawn = []
    for block in view.get("blocks") or []:
        if block.get("type") == "input":
            drawn.append(_field(block, given, errors, people))
        elif block.get("type") == "section":
            pieces = spans(str((block.get("text") or {}).get("text", "")))
            drawn.append({"kind": "words", "text": "".join(p["text"] for p in pieces)})
    return drawn


def _field(
    block: Json,
    given: Mapping[str, str],
    errors: Mapping[str, str],
    people: list[tuple[str, str]],
) -> Json:
    element, name = block["element"], str(block["block_id"])
    begun = element.get("initial_value", "")
    if chosen := element.get("initial_option"):
        begun = chosen["value"]
    options = [(o["value"], words(o["text"])) for o in element.get("options") or []]
    return {
        "kind": element["type"],
        "name": name,
        "label": words(block["label"]),
        "hint": words(block.get("hint")),
        "value": given.get(name, begun),
        "long": bool(element.get("multiline")),
        "optional": bool(block.get("optional")),
        "redraws": bool(block.get("dispatch_action")),
        "options": people if element["type"] == "users_select" else options,
        "error": errors.get(name, ""),
    }


def words(text: Any) -> str:
    """Return a text object's words."""
    return plain(str((text or {}).get("text", "")))


# --- what leaves ---


def submission(row: SimulatedMessage, by: Json, given: Mapping[str, str]) -> Json:
    """Return the view_submission payload."""
    return by | {
        "type": "view_submission",
        "view": filled(row, given),
        "response_urls": [],
    }


def writing(row: SimulatedMessage, by: Json, given: Mapping[str, str]) -> Json:
    """Return what Slack sends while somebody writes: of the field that asks for it."""
    view = filled(row, given)
    block = next(b for b in view["blocks"] if b.get("dispatch_action"))
    name = block["block_id"]
    value = view["state"]["values"][name]["value"]
    action = value | {"action_id": "value", "block_id": name}
    container = {"type": "view", "view_id": view["id"]}
    return by | {
        "type": "block_actions",
        "container": container,
        "view": view,
        "actions": [action],
    }


def filled(row: SimulatedMessage, given: Mapping[str, str]) -> Json:
    """Return the form with what stands in it."""
    view: Json = row.payload["view"]
    values = {
        block["block_id"]: {
            block["element"]["action_id"]: _entered(
                block["element"], given.get(block["block_id"], "")[:MOST_LETTERS]
            )
        }
        for block in view["blocks"]
        if block.get("type") == "input"
    }
    known = {"id": row.ts, "hash": row.payload["hash"], "state": {"values": values}}
    return view | known


def _entered(element: Json, text: str) -> Json:
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": text}
    if kind == "users_select":
        return {"type": kind, "selected_user": text or None}
    options = [one for one in element.get("options") or [] if one["value"] == text]
    if kind == "checkboxes":
        return {"type": kind, "selected_options": options}
    return {"type": kind, "selected_option": options[0] if options else None}


def answered(answer: str) -> tuple[Json | None, dict[str, str]]:
    """Return the view that comes next, if one does, and the errors by field."""
    try:
        said = json.loads(answer or "{}")
    except ValueError:
        return None, {}
    if not isinstance(said, dict):
        return None, {}
    errors = said.get("errors") if said.get("response_action") == "errors" else None
    view = said.get("view") if said.get("response_action") == "update" else None
    return view, {str(k): str(v) for k, v in (errors or {}).items()}
