"""The admin of rules, routes, alerts and their history.

Groups are in escalation.admin: what people do to them goes through escalation.
"""

from alertcenter.alerts.admin.alert import AlertAdmin
from alertcenter.alerts.admin.heartbeat import HeartbeatsAdmin
from alertcenter.alerts.admin.history import EpisodeAdmin, TransitionAdmin
from alertcenter.alerts.admin.inhibition import InhibitRuleAdmin
from alertcenter.alerts.admin.integration import IntegrationAdmin
from alertcenter.alerts.admin.interval import TimeIntervalAdmin
from alertcenter.alerts.admin.raw_event import RawEventAdmin
from alertcenter.alerts.admin.route import RouteAdmin
from alertcenter.alerts.admin.rule import RuleAdmin
from alertcenter.alerts.admin.service import ServiceAdmin
from alertcenter.alerts.admin.silence import MaintenanceAdmin, SilenceAdmin
from alertcenter.alerts.admin.storm import StormAdmin

__all__ = [
    "AlertAdmin",
    "EpisodeAdmin",
    "HeartbeatsAdmin",
    "InhibitRuleAdmin",
    "IntegrationAdmin",
    "MaintenanceAdmin",
    "RawEventAdmin",
    "RouteAdmin",
    "RuleAdmin",
    "ServiceAdmin",
    "SilenceAdmin",
    "StormAdmin",
    "TimeIntervalAdmin",
    "TransitionAdmin",
]
