"""What do our forms in Slack look like, and what was written into them?

Modals: https://docs.slack.dev/reference/views/modal-views. A form carries the group it
is about and where answers go; both come back signed by Slack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from alertcenter.alerts import silence_presets
from alertcenter.api.slack_signing import Payload, dialog_of, part
from notifications.channels.block_kit import OPTION_CHARS, mrkdwn, plain

# https://docs.slack.dev/reference/views/modal-views
TITLE_CHARS = 24
MOST_PRIVATE = 3_000
# https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
INPUT_CHARS = 3_000
# https://docs.slack.dev/reference/block-kit/blocks/input-block
LABEL_CHARS = 2_000
# https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
MOST_OPTIONS = 100
SECTION_CHARS = 3_000

Json = dict[str, Any]
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class About:
    """What a form is about, and where its author is answered later."""

    group_id: UUID
    number: int
    answer: str

    @property
    def private(self) -> str:
        kept = {"group": str(self.group_id), "number": self.number}
        text = json.dumps(kept | {"answer": self.answer})
        return text if len(text) <= MOST_PRIVATE else json.dumps(kept)


def about(payload: Payload) -> About | None:
    """Return what a form that came back is about."""
    told = dialog_of(payload)
    if "group" not in told:
        return None
    number = told.get("number", "")
    return About(
        UUID(told["group"]),
        int(number) if number.isascii() and number.isdigit() else 0,
        told.get("answer", ""),
    )


def written(payload: Payload) -> dict[str, str]:
    """Return what stands in the form's fields, by block.

    https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
    """
    values = part(part(part(payload, "view"), "state"), "values")
    found = {}
    for block_id, elements in values.items():
        element = elements.get("value") if isinstance(elements, dict) else None
        if isinstance(element, dict):
            found[str(block_id)] = _value(element)
    return found


def _value(element: Mapping[str, Any]) -> str:
    chosen = element.get("selected_option")
    if isinstance(chosen, dict):
        return str(chosen.get("value") or "")
    if several := element.get("selected_options"):
        return str(several[0].get("value") or "")
    return str(element.get("selected_user") or element.get("value") or "")


# --- the forms ---


def note(what: About) -> Json:
    field = asked("text", _("Note"), text_field(multiline=True))
    return modal("note", what, _("Add a note"), _("Add"), [field])


def respond(what: About) -> Json:
    field = asked("who", _("Who shall be called?"), {"type": "users_select"})
    return modal("respond", what, _("Add a responder"), _("Call"), [field])


def lasting(what: About) -> Json:
    """Ask for how long a group shall sleep."""
    field = asked("lasting", _("For how long"), choice(presets()))
    return modal("lasting", what, _("Snooze"), _("Snooze"), [field])


def silence(what: About, given: Mapping[str, str], said: str, *, ask: bool) -> Json:
    """Ask for a silence; `said` is what it would mute, `ask` whether that is a lot."""
    conditions = text_field(given.get("matchers", ""), multiline=True)
    conditions["dispatch_action_config"] = {
        "trigger_actions_on": ["on_character_entered"]
    }
    blocks = [
        asked(
            "matchers",
            _("Conditions, one a line"),
            conditions,
            hint=_('Such as env="staging" or host=~"db-.*".'),
        )
        | {"dispatch_action": True},
        {"type": "section", "block_id": "preview", "text": mrkdwn(said or "…")},
        asked("lasting", _("For how long"), choice(presets(), given.get("lasting"))),
        asked("comment", _("Why"), text_field(given.get("comment", ""))),
    ]
    if ask:
        sure = {"text": plain(_("Yes, mute all of these"), OPTION_CHARS), "value": "1"}
        box = {"type": "checkboxes", "options": [sure]}
        blocks.append(asked("confirm", _("This mutes a lot"), box, optional=True))
    return modal("silence", what, _("Silence"), _("Silence"), blocks)


def timeline(groups: Options, text: str, ts: str, answer: str) -> Json:
    """Ask which group's story a message belongs to."""
    short = [(value, words[:OPTION_CHARS]) for value, words in groups]
    kept = json.dumps({"ts": ts, "answer": answer})
    return {
        "type": "modal",
        "callback_id": "timeline",
        "private_metadata": kept if len(kept) <= MOST_PRIVATE else "{}",
        "title": plain(_("Add to timeline"), TITLE_CHARS),
        "submit": plain(_("Add"), TITLE_CHARS),
        "close": plain(_("Cancel"), TITLE_CHARS),
        "blocks": [
            asked("group", _("Whose story"), choice(short)),
            asked("text", _("Note"), text_field(text, multiline=True)),
        ],
    }


def result(said: str) -> Json:
    """Return the page that says what came of a form."""
    section = {"type": "section", "text": mrkdwn(said[:SECTION_CHARS])}
    return {
        "type": "modal",
        "title": plain("AlertCenter", TITLE_CHARS),
        "close": plain(_("Close"), TITLE_CHARS),
        "blocks": [section],
    }


def presets() -> Options:
    return [(value, str(words)) for value, words in silence_presets.LASTING]


# --- their parts; each input's action is called "value" ---


def modal(
    name: str, what: About, title: str, submit: str, blocks: Sequence[Json]
) -> Json:
    heading = f"{title} #{what.number}" if what.number else title
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": what.private,
        "title": plain(heading, TITLE_CHARS),
        "submit": plain(submit, TITLE_CHARS),
        "close": plain(_("Cancel"), TITLE_CHARS),
        "blocks": list(blocks),
    }


def asked(
    block_id: str, label: str, element: Json, *, hint: str = "", optional: bool = False
) -> Json:
    found = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, LABEL_CHARS),
        "element": element | {"action_id": "value"},
        "optional": optional,
    }
    return found | {"hint": plain(hint, LABEL_CHARS)} if hint else found


def text_field(begun: str = "", *, multiline: bool = False) -> Json:
    field: Json = {"type": "plain_text_input", "multiline": multiline}
    field["max_length"] = INPUT_CHARS
    return field | {"initial_value": begun[:INPUT_CHARS]} if begun else field


def choice(options: Options, chosen: str | None = None) -> Json:
    """Return a menu; its first option is chosen unless another is named."""
    offered = [
        {"text": plain(words, OPTION_CHARS), "value": value}
        for value, words in options[:MOST_OPTIONS]
    ]
    known = {one["value"]: one for one in offered}
    return {
        "type": "static_select",
        "options": offered,
        "initial_option": known.get(chosen or "", offered[0]),
    }
