"""Alerts, their episodes, the groups that hold them, and every change of state."""

from alertcenter.alerts.models.alert import Alert, Episode
from alertcenter.alerts.models.group import Group, GroupAlert, GroupCounter
from alertcenter.alerts.models.heartbeat import Heartbeat, HeartbeatPing
from alertcenter.alerts.models.interval import TimeInterval
from alertcenter.alerts.models.notice import Flush, Notice
from alertcenter.alerts.models.raw_event import RawEvent
from alertcenter.alerts.models.receipt import Receipt
from alertcenter.alerts.models.route import Route, RouteChannel
from alertcenter.alerts.models.rule import Rule
from alertcenter.alerts.models.service import Service, ServiceDependency
from alertcenter.alerts.models.silence import (
    InhibitRule,
    InhibitSource,
    Maintenance,
    Silence,
)
from alertcenter.alerts.models.storm import RouteRate, Storm
from alertcenter.alerts.models.transition import Feed, Transition

__all__ = [
    "Alert",
    "Episode",
    "Feed",
    "Flush",
    "Group",
    "GroupAlert",
    "GroupCounter",
    "Heartbeat",
    "HeartbeatPing",
    "InhibitRule",
    "InhibitSource",
    "Maintenance",
    "Notice",
    "RawEvent",
    "Receipt",
    "Route",
    "RouteChannel",
    "RouteRate",
    "Rule",
    "Service",
    "ServiceDependency",
    "Silence",
    "Storm",
    "TimeInterval",
    "Transition",
]
