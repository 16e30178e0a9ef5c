"""Start everything under one supervisor (`manage.py` runs it without Django)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from alertcenter.supervisor.up import main


class Command(BaseCommand):
    help = "Start databases, web, dispatcher, worker and beat under one supervisor."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(main(argv[2:]))

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true")
        parser.add_argument("--workers", type=int, default=1)
        parser.add_argument("--dispatchers", type=int, default=1)

    def handle(self, *_arguments: Any, **options: Any) -> None:
        given = Namespace(**options)
        arguments = ["--no-demo"] if given.no_demo else []
        arguments += [
            f"--workers={given.workers}",
            f"--dispatchers={given.dispatchers}",
        ]
        sys.exit(main(arguments))
