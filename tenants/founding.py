"""How does a tenant come into being? Its row, and what each room lays in for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tenants import audit
from tenants.actors import Actor
from tenants.models.tenant import Tenant
from tenants.rls import tenant_context

# Rooms above add theirs in apps.ready(); each runs in the new tenant's context.
on_founding: list[Callable[[UUID], Any]] = []


def found(tenant: Tenant, *, actor: Actor) -> None:
    """Save the new `tenant` in its own context; the caller holds a transaction."""
    with tenant_context(tenant.pk):
        tenant.save(force_insert=True)
        for lay_in in on_founding:
            lay_in(tenant.pk)
        audit.record(
            tenant.pk, actor, "tenant.create", kind="tenant", object_id=tenant.pk
        )
