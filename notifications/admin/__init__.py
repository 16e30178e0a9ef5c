"""The admin of channels, contacts, templates, deliveries."""

from notifications.admin.channel import ChannelAdmin
from notifications.admin.contact import ContactAdmin
from notifications.admin.delivery import DeliveryAdmin
from notifications.admin.destination import DestinationAdmin
from notifications.admin.stopped import StoppedAddressAdmin
from notifications.admin.template import MessageTemplateAdmin

__all__ = [
    "ChannelAdmin",
    "ContactAdmin",
    "DeliveryAdmin",
    "DestinationAdmin",
    "MessageTemplateAdmin",
    "StoppedAddressAdmin",
]
