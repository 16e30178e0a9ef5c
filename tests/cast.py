"""Who plays in the tests? Alice owns acme, Bob responds there, Charlie is of globex.

Nobody of globex may ever see anything of acme. All functions commit unless the
test holds a transaction; `acme` and `globex` are the fixtures.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User

from alertcenter.common.ids import uuid7
from tenants.models import Member, Tenant
from tenants.rls import in_tenant

PASSWORD = "correct horse battery"  # of everybody in the cast


@dataclass
class Cast:
    """One tenant and its people by name."""

    tenant: Tenant
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def id(self):
        return self.tenant.pk

    @property
    def slug(self) -> str:
        return self.tenant.slug

    def user(self, name: str) -> User:
        return self.members[name].user


def make_tenant(slug: str) -> Tenant:
    """Make a tenant; its row is only visible inside its own context."""
    pk = uuid7()
    with in_tenant(pk):
        return Tenant.objects.create(pk=pk, slug=slug, name=slug.title())


def make_member(tenant: Tenant, name: str, role: str, language: str = "en") -> Member:
    """Make a user and their place in `tenant`; the password is PASSWORD."""
    with in_tenant(tenant.pk):
        user, new = User.objects.get_or_create(
            username=name, defaults={"email": f"{name}@{tenant.slug}.example"}
        )
        if new:
            user.set_password(PASSWORD)
            user.is_staff = True
            user.save()
        return Member.objects.create(
            tenant=tenant, user=user, role=role, name=name.title(), language=language
        )


def make_cast(slug: str, people: dict[str, str]) -> Cast:
    """Make a tenant with `people`, {name: role}."""
    tenant = make_tenant(slug)
    members = {name: make_member(tenant, name, role) for name, role in people.items()}
    return Cast(tenant, members)


@pytest.fixture
def acme(db) -> Cast:
    """Acme, with alice (owner), bob (responder) and vera (viewer)."""
    return make_cast("acme", {"alice": "owner", "bob": "responder", "vera": "viewer"})


@pytest.fixture
def globex(db) -> Cast:
    """Globex, with charlie (owner), an outsider to acme."""
    return make_cast("globex", {"charlie": "owner"})
