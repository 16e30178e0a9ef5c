"""What does a call say, and what does a key do? 4 or 1, 6, and 9 for once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Group
from alertcenter.api.phone_people import Answer, act, owner_of, unknown
from escalation.messages import ACTIONS
from notifications import callbacks, fates, heard, localize, parcels
from notifications.callbacks import Place
from notifications.channels import twiml
from notifications.channels.base import DeliveryError, Parcel
from notifications.models import Delivery
from tenants.models import Tenant

OVER = "resolved"


def take(place: Place, form: Mapping[str, str]) -> tuple[str, str]:
    """Return a word for counters, and what is said as TwiML.

    In the tenant's transaction.
    """
    parcel = parcel_of(place)
    if parcel is None:
        language = Tenant.objects.get(pk=place.tenant_id).language
        with translation.override(localize.interface_language(language)):
            words = _("Nothing waits for this call.")
        return "nothing", twiml.said([words], language)
    group = group_of(parcel)
    parcel = as_it_stands(parcel, group)
    action = callbacks.address("twilio", "voice", place)
    with translation.override(localize.interface_language(parcel.language)):
        if group is not None and group.state == OVER:
            return OVER, twiml.said([happened(group)], parcel.language)
        key = form.get("Digits", "")
        if not key or key == twiml.REPEAT:
            first = happened(group) if group and not key else ""
            return "said", twiml.page(parcel, action, first=first)
        wanted = twiml.KEYS.get(key, "")
        if group and wanted in parcel.message.actions and form.get("CallSid"):
            return pressed(place, form, parcel, group)
        words = _("This key does nothing.")
        return "no_key", twiml.page(parcel, action, first=words)


def parcel_of(place: Place) -> Parcel | None:
    """Return what the call is about; None when that is gone."""
    if place.delivery_id is None:
        return None
    try:
        return parcels.prepare(place.delivery_id, in_doubt=False)
    except DeliveryError:
        return None


def group_of(parcel: Parcel) -> Group | None:
    if not parcel.message.group_id:
        return None
    rows = Group.objects.filter(tenant_id=parcel.tenant_id)
    return rows.filter(pk=parcel.message.group_id).first()


def as_it_stands(parcel: Parcel, group: Group | None) -> Parcel:
    """Offer what can be done now; the call was made a while ago."""
    now = ACTIONS[group.state] if group else ()
    # What was not offered then, such as to resolve a storm, is not offered now.
    offered = tuple(one for one in parcel.message.actions if one in now)
    return replace(parcel, message=replace(parcel.message, actions=offered))


def happened(group: Group) -> str:
    """Return what others did meanwhile; "" for nothing."""
    if group.state == OVER:
        return _("This is resolved meanwhile.")
    if group.state == "acknowledged":
        return _("%(who)s has acknowledged this meanwhile.") % {"who": group.acked_by}
    return ""


def pressed(
    place: Place, form: Mapping[str, str], parcel: Parcel, group: Group
) -> tuple[str, str]:
    """Act for whose telephone it is, once for each key of a call."""
    sid, key = form.get("CallSid", ""), form["Digits"]
    seen: list[str] = []

    def do() -> str:
        answer = acted(form.get("To", ""), parcel, group, twiml.KEYS[key])
        seen.append(answer.outcome)
        return twiml.said([answer.words], parcel.language)

    said = heard.once(place.tenant_id, f"key/{sid}/{key}", do)
    if seen and place.delivery_id:
        # A machine presses no key: whatever the line says later, a person heard it.
        words = f"key {key} was pressed"
        fates.arrived(place.tenant_id, place.delivery_id, provider_id=sid, words=words)
    return (seen[0] if seen else "known"), said


def acted(number: str, parcel: Parcel, group: Group, wanted: str) -> Answer:
    known = Delivery.objects.filter(
        tenant_id=parcel.tenant_id, pk=parcel.delivery_id, address=number
    )
    member = owner_of(parcel.tenant_id, "voice", number) if known.exists() else None
    return act(member, wanted, [group.pk]) if member else unknown()
