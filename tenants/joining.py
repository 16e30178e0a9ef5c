"""How does a person become a member? A global user, linked to one tenant."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User

from tenants import roles
from tenants.access import Membership, homes, memberships
from tenants.models.member import Member
from tenants.roles import Role

RANK = {
    roles.OPERATOR: 5,
    Role.OWNER.value: 4,
    Role.ADMIN.value: 3,
    Role.RESPONDER.value: 2,
    Role.VIEWER.value: 1,
}


@dataclass(frozen=True)
class Account:
    """The user behind a member; `password` only when we made it up just now."""

    user: User
    is_new: bool
    password: str = ""


def account_for(email: str, password: str = "") -> Account:
    """Return the user with this address, making one if there is none.

    A known user keeps his password: a tenant has no right to change it.
    """
    known = user_with(email)
    if known is not None:
        return Account(known, is_new=False)
    made_up = "" if password else secrets.token_urlsafe(12)
    user = User(username=email.lower(), email=email)
    user.set_password(password or made_up)
    user.save()
    return Account(user, is_new=True, password=made_up)


def user_with(email: str) -> User | None:
    """Return the user whose name or address is `email`."""
    by_name = User.objects.filter(username__iexact=email).first()
    return by_name or User.objects.filter(email__iexact=email).order_by("pk").first()


def settle_staff(user: User) -> None:
    """Let `user` into the admin while any tenant counts him as active member."""
    wanted = user.is_superuser or bool(memberships(user.pk))
    if user.is_staff != wanted:
        User.objects.filter(pk=user.pk).update(is_staff=wanted)
        user.is_staff = wanted


def may_give(giver: Membership, role: str) -> bool:
    """Whether `giver` may hand out `role`: never one above his own."""
    return RANK[role] <= RANK.get(giver.role, 0)


def may_link(giver: Membership) -> bool:
    """Whether `giver` may let an account that exists already into this tenant.

    Nobody has proven that an address belongs to whoever logs in with it: the account
    may have been made, password and all, by another tenant's administrator who hopes
    to be let in here. Platform operators can find out.
    """
    return giver.role == roles.OPERATOR


def may_reset_password(giver: Membership, member: Member) -> bool:
    """Whether `giver` may set the password of `member`'s user.

    Only of a user who stands in this tenant alone: elsewhere it is not his to
    give away. Where the user is retired he may be called back, so that counts.
    """
    user = member.user
    if user.is_superuser or not may_give(giver, member.role):
        return False
    return homes(user.pk) <= {giver.tenant_id}


def is_last_owner(member: Member) -> bool:
    """Whether no other active owner is left in the tenant."""
    if member.role != Role.OWNER or not member.active:
        return False
    others = Member.objects.filter(
        tenant_id=member.tenant_id, role=Role.OWNER, active=True
    ).exclude(pk=member.pk)
    return not others.exists()
