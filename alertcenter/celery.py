"""Which Celery application do worker, beat and callers of tasks share?"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from alertcenter.common import logs
from alertcenter.settings import module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", module())

app = Celery("alertcenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect(weak=False)
def _configure_logs(**_signal: Any) -> None:
    """Having a receiver keeps Celery from installing its own format."""
    logs.configure()
