"""Print a tenant's set-up as an alertmanager.yml, secrets hidden."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from escalation.am_export import config_text
from tenants import access
from tenants.rls import in_tenant


class Command(BaseCommand):
    """`manage.py exportalertmanager acme > alertmanager.yml`."""

    help = "Print routes, receivers, inhibitions and intervals as alertmanager.yml."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant_id = access.tenant_named(options["tenant"])
        except LookupError as error:
            raise CommandError(str(error)) from error
        with in_tenant(tenant_id):
            self.stdout.write(config_text(tenant_id), ending="")
