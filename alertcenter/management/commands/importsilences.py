"""Bring silences into a tenant, from the JSON of `amtool silence query -o json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alertcenter.alerts.silence_import import LARGEST, carry_out, planned
from tenants import access
from tenants.actors import Actor
from tenants.rls import in_tenant


class Command(BaseCommand):
    """`manage.py importsilences acme silences.json --apply`."""

    help = "Show which silences of a file would be made; with --apply make them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("file", type=Path, help="what amtool wrote")
        parser.add_argument("--apply", action="store_true", help="do it")
        parser.add_argument(
            "--confirm",
            action="store_true",
            help="also silences that mute over half of the open alerts",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant_id = access.tenant_named(options["tenant"])
            with options["file"].open("rb") as file:
                body = file.read(LARGEST + 1)
        except (LookupError, OSError) as error:
            raise CommandError(str(error)) from error
        with in_tenant(tenant_id):
            if options["apply"]:
                actor = Actor("operator", "", "command line")
                plan = carry_out(
                    tenant_id, body, actor=actor, confirm=options["confirm"]
                )
            else:
                plan = planned(tenant_id, body)
        if plan.errors:
            for path, words in plan.errors:
                self.stdout.write(f"{path}: {words}".removeprefix(": "))
            raise CommandError("The file is refused, nothing is changed.")
        for item in plan.items:
            until = f"{item.draft.ends_at:%Y-%m-%d %H:%M}"
            said = ", ".join(item.draft.matchers)
            line = f"{item.verdict:<7} [{item.place}] until {until} UTC  {said}"
            self.stdout.write(line)
        if not options["apply"]:
            self.stdout.write("Nothing is changed yet; say --apply to do this.")
