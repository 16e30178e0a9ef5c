"""Load the demo tenant; running it again changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from alertcenter.dashboard import demo


class Command(BaseCommand):
    help = "Make the demo tenant acme, with people, schedules, policies, routes."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        demo.load()
        self.stdout.write(f"The tenant {demo.SLUG} is ready.")
