"""The escalation room: policies, on-call orders, and runs of both."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EscalationConfig(AppConfig):
    name = "escalation"
    verbose_name = _("Escalation")

    def ready(self) -> None:
        from escalation import retention
        from escalation.judging import judge
        from escalation.timeline import on_settled
        from notifications import delivery, judging

        delivery.on_settled.append(on_settled)
        judging.judges.append(judge)
        retention.register()
