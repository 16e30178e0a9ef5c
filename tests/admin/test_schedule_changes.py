"""How do members swap shifts, and how is a temporary schedule written?"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from escalation import oncall
from escalation.models import Schedule, Swap, TemporarySchedule
from tenants.models import Audit
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
ADD = "admin:escalation_swap_add"


@pytest.fixture
def order(acme) -> Schedule:
    with in_tenant(acme.id):
        return oncall.make(
            acme.id,
            "Ops",
            [acme.members["alice"], acme.members["bob"]],
            time_zone="Europe/Paris",
            starts_on=date(2026, 1, 5),
        )


def asked(order: Schedule, acme, whose: str, **more: str) -> dict[str, str]:
    return {
        "schedule": str(order.pk),
        "beneficiary": str(acme.members[whose].pk),
        "starts_at": "2026-01-12T09:00",
        "ends_at": "2026-01-13T09:00",
        "note": "",
    } | more


def swaps(acme) -> list[Swap]:
    with in_tenant(acme.id):
        return list(Swap.objects.all())


def press(client: Client, name: str, swap: Swap) -> int:
    return client.post(
        reverse(f"admin:escalation_swap_{name}", args=[swap.pk])
    ).status_code


def test_a_responder_asks_somebody_takes_and_gives_back(alice, bob, order, acme):
    assert bob.get(reverse(ADD)).status_code == 200
    assert bob.post(reverse(ADD), asked(order, acme, "bob")).status_code == 302
    (swap,) = swaps(acme)
    assert swap.starts_at == datetime(2026, 1, 12, 8, tzinfo=UTC)
    within = datetime(2026, 1, 12, 12, tzinfo=UTC)

    def there() -> str:
        with in_tenant(acme.id):
            return oncall.names_of(oncall.on_call(order, within))

    assert there() == "Bob"
    press(bob, "take", swap)
    assert swaps(acme)[0].benefactor_id is None, "nobody takes his own"
    press(alice, "take", swap)
    assert there() == "Alice"
    assert swaps(acme)[0].taken_at is not None
    press(alice, "give_back", swap)
    assert (there(), swaps(acme)[0].benefactor_id) == ("Bob", None)
    press(alice, "take", swap)
    removal = reverse("admin:escalation_swap_delete", args=[swap.pk])
    assert bob.post(removal, {"post": "yes"}).status_code == 302
    assert (there(), swaps(acme)) == ("Bob", [])
    with in_tenant(acme.id):
        acts = Audit.objects.filter(object_kind="swap").order_by("id")
        assert [row.action for row in acts] == [
            "swap.create", "swap.take", "swap.give_back", "swap.take", "swap.delete",
        ]  # fmt: skip


def test_a_responder_gives_away_no_other_members_shifts(alice, bob, vera, order, acme):
    assert bob.post(reverse(ADD), asked(order, acme, "alice")).status_code == 200
    assert vera.get(reverse(ADD)).status_code == 403
    assert swaps(acme) == []
    given = asked(order, acme, "alice", benefactor=str(acme.members["bob"].pk))
    assert alice.post(reverse(ADD), given).status_code == 302
    (swap,) = swaps(acme)
    assert swap.taken_at is not None
    change = reverse("admin:escalation_swap_change", args=[swap.pk])
    assert bob.get(change).status_code == 200
    assert bob.post(change, asked(order, acme, "alice")).status_code == 403
    removal = reverse("admin:escalation_swap_delete", args=[swap.pk])
    assert bob.post(removal, {"post": "yes"}).status_code == 403
    assert press(vera, "give_back", swap) == 403
    # He gives back what he has, though it was given to him.
    assert press(bob, "give_back", swap) == 302
    assert swaps(acme)[0].benefactor_id is None
    assert vera.post(reverse(ADD)).status_code == 403


def test_what_somebody_took_is_not_made_longer_by_who_gave_it(alice, bob, order, acme):
    bob.post(reverse(ADD), asked(order, acme, "bob"))
    (swap,) = swaps(acme)
    change = reverse("admin:escalation_swap_change", args=[swap.pk])
    longer = asked(order, acme, "bob", ends_at="2026-01-14T09:00")
    assert bob.post(change, longer).status_code == 302
    before = swaps(acme)[0].ends_at
    assert before == datetime(2026, 1, 14, 8, tzinfo=UTC)
    press(alice, "take", swap)
    longest = asked(order, acme, "bob", ends_at="2029-01-14T09:00")
    assert bob.post(change, longest).status_code == 403
    assert swaps(acme)[0].ends_at == before
    # Whoever configures may, and who took it stays who he is.
    assert alice.post(change, longest).status_code == 302
    (swap,) = swaps(acme)
    assert swap.ends_at > before
    assert swap.benefactor_id == acme.members["alice"].pk


def test_who_comes_second_takes_nothing(alice, bob, order, acme):
    given = asked(order, acme, "vera", benefactor=str(acme.members["bob"].pk))
    alice.post(reverse(ADD), given)
    (swap,) = swaps(acme)
    shown = alice.post(
        reverse("admin:escalation_swap_take", args=[swap.pk]), follow=True
    )
    assert b"Somebody else has just taken them." in shown.content
    assert swaps(acme)[0].benefactor_id == acme.members["bob"].pk


def test_nobody_takes_over_from_himself(alice, order, acme):
    given = asked(order, acme, "bob", benefactor=str(acme.members["bob"].pk))
    assert alice.post(reverse(ADD), given).status_code == 200
    assert swaps(acme) == []


def test_a_temporary_schedule_has_shifts_by_the_schedules_clock(alice, order, acme):
    vera = acme.members["vera"]
    given = {
        "schedule": str(order.pk),
        "starts_at": "2026-07-01T00:00",
        "ends_at": "2026-07-02T00:00",
        "note": "Fair",
        "shifts-TOTAL_FORMS": "2",
        "shifts-INITIAL_FORMS": "0",
        "shifts-MIN_NUM_FORMS": "0",
        "shifts-MAX_NUM_FORMS": "1000",
        "shifts-0-member": str(vera.pk),
        "shifts-0-starts_at": "2026-07-01T10:00",
        "shifts-0-ends_at": "2026-07-01T12:00",
    }
    added = alice.post(reverse("admin:escalation_temporaryschedule_add"), given)
    assert added.status_code == 302
    with in_tenant(acme.id):
        (row,) = TemporarySchedule.objects.all()
        (shift,) = row.shifts.all()
        assert row.starts_at == datetime(2026, 6, 30, 22, tzinfo=UTC)
        assert shift.starts_at == datetime(2026, 7, 1, 8, tzinfo=UTC)
        assert oncall.on_call(order, shift.starts_at) == [vera]
        assert oncall.on_call(order, shift.ends_at) == []
    change = reverse("admin:escalation_temporaryschedule_change", args=[row.pk])
    shown = alice.get(change).content.decode()
    assert 'value="2026-07-01T10:00"' in shown


def test_a_swap_of_no_shift_is_not_called_one(alice, bob, order, acme):
    """Alice has the week of 5 January, Bob that of 12 January."""
    for whose, words in (("bob", ""), ("alice", "Alice has no shift in this time.")):
        given = asked(order, acme, whose)
        answer = alice.post(reverse(ADD), given, follow=True)
        said = " ".join(map(str, answer.context["messages"]))
        assert words in said
        assert bool(words) == ("no shift" in said)
    empty = next(s for s in swaps(acme) if s.beneficiary_id == acme.members["alice"].pk)
    take = reverse("admin:escalation_swap_take", args=[empty.pk])
    answer = bob.post(take, follow=True)
    said = " ".join(map(str, answer.context["messages"]))
    assert "There is no shift in this time" in said


def test_a_temporary_schedule_says_its_gaps_and_overlaps_no_other(alice, order, acme):
    add = reverse("admin:escalation_temporaryschedule_add")
    given = {
        "schedule": str(order.pk),
        "starts_at": "2026-07-01T00:00",
        "ends_at": "2026-07-02T00:00",
        "shifts-TOTAL_FORMS": "0",
        "shifts-INITIAL_FORMS": "0",
    }
    answer = alice.post(add, given, follow=True)
    said = " ".join(map(str, answer.context["messages"]))
    assert "This leaves a gap" in said
    other = given | {"starts_at": "2026-07-01T23:00", "ends_at": "2026-07-03T00:00"}
    answer = alice.post(add, other)
    assert list(answer.context["adminform"].form.errors) == ["starts_at"]
    beside = given | {"starts_at": "2026-07-02T00:00", "ends_at": "2026-07-03T00:00"}
    assert alice.post(add, beside).status_code == 302
