"""What does every channel take, give back and complain with?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from notifications.message import Message

NETWORK_SECONDS = 10


@dataclass(frozen=True)
class ThreadPlace:
    """Where a conversation stands at the provider."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Parcel:
    """One delivery with all it needs; sent with no transaction open."""

    delivery_id: UUID
    tenant_id: UUID
    kind: str  # page | update | reply | chart | test | answer
    message: Message
    channel_kind: str
    channel_id: UUID | None
    address: str
    settings: dict[str, Any]
    secret: dict[str, str]
    language: str
    time_zone: str
    thread: ThreadPlace | None = None
    may_be_a_repeat: bool = False
    title: str = ""
    body: str = ""
    member_id: UUID | None = None


@dataclass(frozen=True)
class Receipt:
    """What the provider said: its id of the message, and its answer in short."""

    provider_id: str = ""
    answer: str = ""
    thread: ThreadPlace | None = None
    extra: dict[str, str] = field(default_factory=dict)


class DeliveryError(Exception):
    """A send that failed.

    `permanent`: trying again cannot help. `ambiguous`: it may have arrived.
    `retry_after`: seconds that the provider asks to wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.retry_after = retry_after


# Of what happens later, a place that cannot be redrawn is told these alone.
WORTH_A_LINE = frozenset(
    ("acknowledged", "resolved", "reopened", "flapping", "calm", "storm_over")
)


@dataclass(frozen=True)
class Setting:
    """One thing a channel must know: a field of its page in the admin.

    `kind`: text | long | lines (a list of texts) | number | flag | choice.
    `secret`: stored encrypted with the channel, written and never read.
    `check`: returns the value as it is stored. Raises Django's ValidationError.
    """

    name: str
    label: Any
    help: Any = ""
    kind: str = "text"
    required: bool = False
    secret: bool = False
    default: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()
    check: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class ContactSpec:
    """How a member is reached on this kind: what an address looks like.

    `needs_channel`: messages leave through the tenant's first channel of the kind.
    `proves`: a code is sent to the address, and typed in, before it is used.
    `by_hand`: false where the address says who acts there, or holds what only its owner
    has: members connect it there, and do not write it down themselves.
    """

    help: Any
    check: Callable[[str], str]
    needs_channel: bool = True
    proves: bool = False
    by_hand: bool = True


def no_check(_given: Mapping[str, Any], _held: Mapping[str, str]) -> dict[str, Any]:
    return {}


def nothing(_channel_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    return {}, {}


def nowhere(_tenant_id: UUID, _channel_id: UUID) -> list[tuple[Any, str]]:
    return []


def itself(_settings: Mapping[str, Any]) -> list[str]:
    return [""]


@dataclass(frozen=True)
class Spec:
    """What is there to know of a kind of channel? Each module has one, as SPEC.

    `place`: what a list shows of its settings. `addresses`: those behind the channel,
    "" where it is the address itself. `check(given, held)`: returns sentences by the
    setting's name, given the form's values (with the stored settings as "stored") and
    the secrets held. `made_up`: settings and secrets that the simulation's side of the
    vendor accepts, for a channel's id, so that nobody needs real ones to try it.

    `pasted(tenant, channel)`: (label, URL) of ours that a person pastes at the vendor.

    `updates`: what was said is redrawn in place, or the tool behind it is told of each
    state. `replies`: the kinds of note that get a line of their own; None: all;
    `replies_if`: the flag among its settings without which none does.
    `for_people`: false for tools, which hear of every group, also in a storm.
    `channels`: false where nobody but members is reached, by their contacts.
    `words_like`: the kind whose built-in wordings it shares ("slack": a chat with
    titles; "email": sentences; "sms": one short line).
    `pace`: seconds between two messages to one place, 0: as fast as they come; so many
    as `burst` may come together. `most`: (how many, seconds): no more go to one address
    within that time.
    `charts`: the setting without which no chart follows a page.
    `inbound`: the path, with {tenant} and {channel}, at which the tool behind a channel
    tells what was done there.
    """

    kind: str
    label: Any
    settings: tuple[Setting, ...] = ()
    place: Callable[[Mapping[str, Any]], str] = lambda settings: ""
    addresses: Callable[[Mapping[str, Any]], list[str]] = itself
    check: Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]] = no_check
    made_up: Callable[[UUID], tuple[dict[str, Any], dict[str, str]]] = nothing
    contact: ContactSpec | None = None
    pasted: Callable[[UUID, UUID], list[tuple[Any, str]]] = nowhere
    updates: bool = False
    replies: frozenset[str] | None = WORTH_A_LINE
    replies_if: str = ""
    for_people: bool = True
    channels: bool = True
    words_like: str = "slack"
    pace: float = 0.0
    burst: int = 1
    charts: str = ""
    inbound: str = ""
    most: tuple[tuple[int, int], ...] = ()
    about: Any = ""  # one sentence for who chooses among kinds


class Channel(Protocol):
    """One module each: SPEC, and the kind's `send`."""

    SPEC: Spec

    def send(self, parcel: Parcel) -> Receipt:
        """Send. Raises DeliveryError."""
        ...
