"""Let old rows go now, or say what would go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import retention
from tenants.models import RetentionRun


class Command(BaseCommand):
    """`manage.py retention --dry-run`."""

    help = (
        "Delete rows and drop partitions that are older than their tenant keeps them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only print what would go"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if options["dry_run"]:
            would = retention.preview()
            self.tell("would go", dict(would.deleted), would.dropped)
            return
        began = retention.database_time()
        retention.work(always=True)
        run = RetentionRun.objects.filter(finished_at__gte=began).first()
        if run is None:
            raise CommandError("Another process is at it; the admin shows its work.")
        self.tell("gone", run.deleted, run.dropped)
        for table in run.put_off:
            self.stdout.write(f"put off, as somebody held a lock: {table}")

    def tell(self, what: str, deleted: dict[str, int], dropped: list[str]) -> None:
        """Print one line for each table and partition."""
        for name in dropped:
            self.stdout.write(f"partition {name}: {what}")
        for table, rows in sorted(deleted.items()):
            if rows:
                self.stdout.write(f"{rows} rows of {table}: {what}")
        if not dropped and not any(deleted.values()):
            self.stdout.write("Nothing is old enough.")
