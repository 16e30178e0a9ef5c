"""The escalation room: policies, schedules, and runs of both."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EscalationConfig(AppConfig):
    name = "escalation"
    verbose_name = _("Escalation")

    def ready(self) -> None:
        from escalation import alert_lists, retention
        from escalation.judging import judge
        from escalation.timeline import on_settled
        from notifications import delivery, enclosures, judging

        if alert_lists.rows not in enclosures.sources:
            enclosures.sources.append(alert_lists.rows)
        delivery.on_settled.append(on_settled)
        judging.judges.append(judge)
        retention.register()
