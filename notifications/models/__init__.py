"""Channels, templates, contacts, and the outbox."""

from notifications.models.channel import Channel, Contact
from notifications.models.delivery import (
    Attempt,
    Delivery,
    Destination,
    SimulatedMessage,
    Thread,
)
from notifications.models.heard import Heard
from notifications.models.mail import MailOpening, StoppedAddress, UsedLink
from notifications.models.template import MessageTemplate

__all__ = [
    "Attempt",
    "Channel",
    "Contact",
    "Delivery",
    "Destination",
    "Heard",
    "MailOpening",
    "MessageTemplate",
    "SimulatedMessage",
    "StoppedAddress",
    "Thread",
    "UsedLink",
]
