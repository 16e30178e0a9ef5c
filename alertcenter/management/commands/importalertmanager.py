"""Bring an alertmanager.yml into a tenant; without --apply just show what would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alertcenter.alerts.am_yaml import LARGEST
from escalation.am_import.carrying import carry_out, planned
from escalation.am_import.report import lines_of
from tenants import access
from tenants.actors import Actor
from tenants.rls import in_tenant


class Command(BaseCommand):
    """`manage.py importalertmanager acme alertmanager.yml --apply`."""

    help = "Show what of an alertmanager.yml would be made; with --apply make it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("file", type=Path, help="the alertmanager.yml")
        parser.add_argument("--apply", action="store_true", help="do it")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="let the file's root take the place of the default route",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant_id = access.tenant_named(options["tenant"])
            with options["file"].open("rb") as file:
                body = file.read(LARGEST + 1)
        except (LookupError, OSError) as error:
            raise CommandError(str(error)) from error
        replace = options["replace"]
        with in_tenant(tenant_id):
            if options["apply"]:
                actor = Actor("operator", "", "command line")
                plan, document = carry_out(
                    tenant_id, body, actor=actor, replace=replace
                )
            else:
                plan, document = planned(tenant_id, body, replace=replace)
        for line in lines_of(plan, document):
            self.stdout.write(line)
        if plan.errors:
            raise CommandError("The file is refused.")
        if not options["apply"]:
            self.stdout.write("Nothing is changed yet; say --apply to do this.")
