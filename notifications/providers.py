"""Which of a channel's providers sends? The first, unless it is in trouble.

Two providers never make more copies than one: the second sends only what the first
surely did not take. What may have arrived is left to the delivery's own one repetition,
which is the second provider's, as the first has just proven deaf. A provider that fails
again and again rests (a row of Destination, seen in the admin): meanwhile the second
sends at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from notifications.channels.base import DeliveryError, Parcel, Receipt
from notifications.channels.phones import ProviderRefused
from notifications.destinations import (
    BREAKS_AT,
    FIRST_REST,
    LONGEST_REST,
    LONGEST_WHY,
    TRIAL_SECONDS,
)
from tenants.rls import in_tenant

log = logging.getLogger(__name__)

Sender = Callable[[Parcel], Receipt]


@dataclass(frozen=True)
class Provider:
    """One way to send, by the name that attempts show."""

    name: str
    send: Sender


def send(parcel: Parcel, providers: Sequence[Provider]) -> Receipt:
    """Send by the first provider that takes it. Raises DeliveryError.

    With no transaction open.
    """
    if len(providers) == 1 or parcel.channel_id is None:
        return providers[0].send(parcel)
    first, second = providers[:2]
    if parcel.may_be_a_repeat:
        return _in_turn(parcel, second, first)
    if why := rests(parcel, first):
        return _noted(_in_turn(parcel, second, first), f"{first.name} rests: {why}")
    return _in_turn(parcel, first, second)


def _in_turn(parcel: Parcel, first: Provider, second: Provider) -> Receipt:
    try:
        return _by(parcel, first)
    except DeliveryError as error:
        if not another_may(error):
            raise
        return _instead(parcel, first, second, error)


def _instead(
    parcel: Parcel, first: Provider, second: Provider, error: DeliveryError
) -> Receipt:
    """Send by the second provider. Raises DeliveryError with what both said."""
    try:
        receipt = _by(parcel, second)
    except DeliveryError as worse:
        raise ProviderRefused(
            f"{first.name}: {error.reason}; {second.name}: {worse.reason}",
            permanent=error.permanent and worse.permanent,
            ambiguous=worse.ambiguous,
            retry_after=worse.retry_after,
        ) from worse
    return _noted(receipt, f"{second.name}, as {first.name} said: {error.reason}")


def _by(parcel: Parcel, provider: Provider) -> Receipt:
    """Send by this one, and remember how it went."""
    try:
        receipt = provider.send(parcel)
    except DeliveryError as error:
        if is_in_trouble(error):
            note_ill(parcel, provider, error.reason)
        raise
    note_well(parcel, provider)
    return receipt


def _noted(receipt: Receipt, words: str) -> Receipt:
    return replace(receipt, answer=f"{receipt.answer} ({words})")


def another_may(error: DeliveryError) -> bool:
    """Whether it is the provider's trouble: the number would be refused by others, too,
    what may have arrived must not come twice, and who asks to wait is waited for."""
    return not (_of_the_number(error) or error.ambiguous) and error.retry_after is None


def is_in_trouble(error: DeliveryError) -> bool:
    """Whether the error is about the provider: its account, or its being away."""
    return not _of_the_number(error) and error.retry_after is None


def _of_the_number(error: DeliveryError) -> bool:
    return isinstance(error, ProviderRefused) and error.of_the_number


# --- how it is with a provider ---

# One message in so many seconds tries a provider that rests; the others pass it by.
RESTS = """
SELECT why, open_at <= now() FROM destination
WHERE tenant_id = %(tenant)s AND key = %(key)s AND failures >= %(breaks)s
"""
TRY = """
UPDATE destination SET open_at = now() + %(trial)s * interval '1 second'
WHERE tenant_id = %(tenant)s AND key = %(key)s AND open_at <= now()
"""
WELL = """
UPDATE destination SET failures = 0, why = '', open_at = now()
WHERE tenant_id = %(tenant)s AND key = %(key)s AND failures > 0
"""
ILL = """
INSERT INTO destination AS x (tenant_id, key, channel_id, failures, why)
SELECT %(tenant)s, %(key)s, id, 1, %(why)s FROM channel
  WHERE tenant_id = %(tenant)s AND id = %(channel)s
ON CONFLICT (tenant_id, key) DO UPDATE SET
  failures = x.failures + 1, why = excluded.why,
  open_at = CASE WHEN x.failures + 1 < %(breaks)s THEN now()
    ELSE now() + interval '1 second' * least(%(longest)s::float8,
      %(first)s * 2.0 ^ least(20, x.failures + 1 - %(breaks)s)) END
"""


def rests(parcel: Parcel, provider: Provider) -> str:
    """Return why nothing is sent by it now; "" when it may be tried."""
    values = _values(parcel, provider, breaks=BREAKS_AT, trial=TRIAL_SECONDS)
    with (
        _unless_away(parcel),
        in_tenant(parcel.tenant_id),
        connection.cursor() as cursor,
    ):
        cursor.execute(RESTS, values)
        why, over = cursor.fetchone() or ("", True)
        if over:
            cursor.execute(TRY, values)
            over = cursor.rowcount == 1 or not why
        return "" if over else why
    return ""


def note_well(parcel: Parcel, provider: Provider) -> None:
    """Remember that it sends."""
    with (
        _unless_away(parcel),
        in_tenant(parcel.tenant_id),
        connection.cursor() as cursor,
    ):
        cursor.execute(WELL, _values(parcel, provider))


def note_ill(parcel: Parcel, provider: Provider, why: str) -> None:
    """Remember that it failed; so often in a row, it rests."""
    values = _values(
        parcel,
        provider,
        why=why.replace("\x00", "")[:LONGEST_WHY],
        channel=parcel.channel_id,
        breaks=BREAKS_AT,
        first=FIRST_REST,
        longest=LONGEST_REST,
    )
    with (
        _unless_away(parcel),
        in_tenant(parcel.tenant_id),
        connection.cursor() as cursor,
    ):
        cursor.execute(ILL, values)


@contextmanager
def _unless_away(parcel: Parcel) -> Iterator[None]:
    """Go on without the database: what was sent was sent, and is told of by whoever
    settles it."""
    try:
        yield
    except (OperationalError, InterfaceError):
        connection.close()
        log.warning("provider_not_noted", extra={"delivery": str(parcel.delivery_id)})


def _values(parcel: Parcel, provider: Provider, **more: Any) -> dict[str, Any]:
    key = f"{parcel.channel_id}:{provider.name}"
    return {"tenant": parcel.tenant_id, "key": key} | more
