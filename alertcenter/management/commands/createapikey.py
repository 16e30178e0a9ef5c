"""Make an API key from a shell; prints just the key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import access, apikeys
from tenants.actors import Actor
from tenants.models.apikey import Scope
from tenants.rls import in_tenant


class Command(BaseCommand):
    """`manage.py createapikey acme --scope ingest --scope read`."""

    help = "Make an API key for a tenant and print it (it is not shown again)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            dest="scopes",
            help="what the key may do; may be given several times (default: ingest)",
        )
        parser.add_argument("--name", default="command line", help="what it is for")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant_id = access.tenant_named(options["tenant"])
        except LookupError as error:
            raise CommandError(str(error)) from error
        with in_tenant(tenant_id):
            _, plaintext = apikeys.mint(
                tenant_id,
                options["name"],
                options["scopes"] or [Scope.INGEST.value],
                actor=Actor("operator", "", "command line"),
            )
        self.stdout.write(plaintext)
