"""Does the checker find what is wrong? Ledgers written by hand, one lie in each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.checker import check
from tests.chaos.record import (
    Act,
    Arrival,
    Delivery,
    Event,
    Fault,
    Group,
    Record,
    Run,
    Step,
)
from tests.chaos.world import PlanStep, Policy

POLICY = Policy(
    "p",
    (
        PlanStep("channel", "hook-one"),
        PlanStep("wait", wait=3),
        PlanStep("member", "x"),
    ),
    before=2,
)
FROZEN = tuple((step.kind, step.target, step.wait) for step in POLICY.steps)


def arrival(pk: str, at: float, place: str = "hook-one", **more: str) -> Arrival:
    given = {"slug": "acorn", "said_slug": "acorn", "fate": "ok", "kind": "page"} | more
    return Arrival(at=at, place=place, id=pk, name="a", **given)


def delivery(pk: str, step: int, lane: str, **more: object) -> Delivery:
    one = Delivery(pk, "acorn", f"r/{step}/1/x", lane, "page", "g", "sent", step)
    return replace(one, **more)  # type: ignore[arg-type]


@pytest.fixture
def truth() -> Record:
    """A run of two pages that went well: begun at 100, claimed at 102 and 105."""
    return Record(
        policies={"acorn": POLICY},
        events=[Event("acorn", "a", "firing", 99.0, 99.5, 200)],
        arrivals=[arrival("d0", 102.3), arrival("d2", 105.4, "UACORNX")],
        alerts=[("acorn", "a")],
        groups=[Group("g", "acorn", "a", "firing", 100.0)],
        runs=[Run("r", "g", "finished", 100.0, FROZEN)],
        steps=[
            Step("r", "g", 0, 1, 102.0, 102.1, "done"),
            Step("r", "g", 2, 1, 105.1, 105.2, "done"),
        ],
        deliveries=[delivery("d0", 0, "l0"), delivery("d2", 2, "l2")],
        ended=200.0,
    )


def kinds(record: Record) -> set[str]:
    return {violation.kind for violation in check(record).violations}


def act(what: str, at: float, *, done: bool | None = True, status: int = 200) -> Act:
    return Act(what, "g", at - 0.1, at, status, done)


ACKED = [("acknowledged", "g")]
KILL = Fault("kill worker", 102.5, 102.5)


def test_a_run_that_went_well_has_no_violation(truth: Record) -> None:
    found = check(truth)
    assert found.violations == []
    assert found.counts["steps"] == 2
    assert found.counts["pages delivered"] == 2


# --- lost ---


def test_an_alert_that_was_taken_and_is_not_there_is_found(truth: Record) -> None:
    truth.events.append(Event("acorn", "b", "firing", 1.0, 2.0, 200))
    assert kinds(truth) == {"lost"}


def test_an_alert_that_nobody_took_need_not_be_there(truth: Record) -> None:
    truth.events.append(Event("acorn", "b", "firing", 1.0, 2.0, 503))
    assert kinds(truth) == set()


def test_one_alert_in_two_groups_is_found(truth: Record) -> None:
    truth.groups.append(Group("h", "acorn", "a", "firing", 100.0))
    truth.runs.append(Run("s", "h", "active", 100.0, FROZEN))
    truth.steps.append(Step("s", "h", 0, 1, 250.0, None, "due"))
    assert kinds(truth) == {"lost"}


def test_an_alert_without_a_group_is_found_unless_it_was_over_at_once(
    truth: Record,
) -> None:
    truth.alerts.append(("acorn", "b"))
    truth.events.append(Event("acorn", "b", "firing", 1.0, 2.0, 200))
    assert kinds(truth) == {"lost"}
    truth.events.append(Event("acorn", "b", "resolved", 2.0, 2.1, 200))
    assert kinds(truth) == set()


def test_a_group_without_a_run_is_found(truth: Record) -> None:
    truth.runs.clear()
    truth.steps.clear()
    assert "lost" in kinds(truth)


def test_a_run_that_finished_before_its_last_step_is_found(truth: Record) -> None:
    del truth.steps[1]
    del truth.deliveries[1]
    del truth.arrivals[1]
    assert kinds(truth) == {"lost"}


def test_a_step_that_stays_due_is_found(truth: Record) -> None:
    truth.runs[0] = replace(truth.runs[0], state="active")
    truth.steps[1] = replace(truth.steps[1], state="due", done=None)
    truth.deliveries.pop()
    truth.arrivals.pop()
    assert kinds(truth) == {"lost"}


def stopped(truth: Record) -> Record:
    truth.runs[0] = replace(truth.runs[0], state="stopped")
    truth.groups[0] = replace(truth.groups[0], state="acknowledged")
    truth.steps[1] = replace(truth.steps[1], state="cancelled", done=None)
    truth.deliveries.pop()
    truth.arrivals.pop()
    return truth


def test_a_run_that_nobody_stopped_is_found(truth: Record) -> None:
    assert kinds(stopped(truth)) == {"lost"}


def test_a_run_that_somebody_stopped_is_right(truth: Record) -> None:
    truth.acts.append(act("acknowledge", 103.0))
    truth.acted += ACKED
    assert kinds(stopped(truth)) == set()


def test_a_group_that_fires_and_whose_run_was_stopped_is_found(truth: Record) -> None:
    truth.acts += [act("acknowledge", 103.0), act("unacknowledge", 104.0)]
    truth.acted += [*ACKED, ("unacknowledged", "g")]
    stopped(truth)
    truth.groups[0] = replace(truth.groups[0], state="firing")
    assert kinds(truth) == {"lost"}


@pytest.mark.parametrize(("tries", "found"), [(1, {"lost"}), (2, set())])
def test_a_page_in_doubt_is_given_up_after_two_tries_and_no_sooner(
    truth: Record, tries: int, found: set[str]
) -> None:
    last = truth.deliveries[-1]
    truth.deliveries[-1] = replace(last, state="ambiguous", attempts=tries)
    truth.arrivals.pop()
    assert kinds(truth) == found


def test_a_step_without_a_page_is_found(truth: Record) -> None:
    truth.deliveries.pop()
    truth.arrivals.pop()
    assert kinds(truth) == {"lost"}


def test_a_page_that_is_sent_and_never_arrived_is_found(truth: Record) -> None:
    truth.arrivals.pop()
    assert kinds(truth) == {"lost"}


def test_a_page_that_the_vendor_only_refused_is_found(truth: Record) -> None:
    truth.arrivals[1] = replace(truth.arrivals[1], fate="500")
    assert kinds(truth) == {"lost"}


def test_a_page_that_was_cancelled_by_nobody_is_found(truth: Record) -> None:
    truth.arrivals.pop()
    truth.deliveries[1] = replace(truth.deliveries[1], state="cancelled")
    assert kinds(truth) == {"lost"}


def test_a_page_within_a_digest_that_arrived_is_right(truth: Record) -> None:
    truth.deliveries[1] = replace(
        truth.deliveries[1], state="merged", merged_into="digest"
    )
    digest = delivery("digest", 9, "l2", idem="digest/x/y", group="")
    truth.deliveries.append(digest)
    truth.arrivals[1] = replace(truth.arrivals[1], id="digest")
    assert kinds(truth) == set()
    truth.arrivals.pop()
    assert kinds(truth) == {"lost"}


def test_an_act_that_was_answered_and_not_stored_is_found(truth: Record) -> None:
    truth.acts.append(act("escalate", 110.0))
    assert kinds(truth) == {"lost act"}


# --- early ---


def test_a_claim_before_its_time_is_found_although_the_row_says_it_was_due(
    truth: Record,
) -> None:
    truth.steps[1] = replace(truth.steps[1], due=104.0, done=104.0)
    assert kinds(truth) == {"early"}


def test_the_wait_of_the_route_counts(truth: Record) -> None:
    truth.steps[0] = replace(truth.steps[0], due=101.5, done=101.5)
    assert kinds(truth) == {"early"}


def test_a_claim_before_the_rows_own_time_is_found(truth: Record) -> None:
    truth.steps[1] = replace(truth.steps[1], due=106.0)
    assert kinds(truth) == {"early"}


def test_whoever_escalates_hurries_one_step(truth: Record) -> None:
    truth.steps[1] = replace(truth.steps[1], due=104.0, done=104.0)
    truth.acts.append(act("escalate", 103.9))
    truth.acted.append(("escalated", "g"))
    assert kinds(truth) == set()
    truth.steps[0] = replace(truth.steps[0], due=101.0, done=101.0)
    assert kinds(truth) == {"early"}


def test_a_page_that_arrived_before_its_claim_is_found(truth: Record) -> None:
    truth.arrivals[1] = replace(truth.arrivals[1], at=104.9)
    assert kinds(truth) == {"early"}


# --- after an acknowledgement ---


def test_a_claim_after_a_committed_acknowledgement_is_found(truth: Record) -> None:
    truth.acts.append(act("acknowledge", 105.15))
    truth.acted += ACKED
    assert kinds(truth) == {"after acknowledgement"}


def test_an_act_without_an_answer_promises_nothing(truth: Record) -> None:
    truth.acts.append(act("acknowledge", 105.0, done=None, status=0))
    assert kinds(truth) == set()


def test_a_page_that_leaves_after_an_acknowledgement_is_found(truth: Record) -> None:
    truth.acts.append(act("acknowledge", 110.0))
    truth.acted += ACKED
    truth.arrivals[1] = replace(truth.arrivals[1], at=115.0)
    assert kinds(truth) == {"after acknowledgement"}
    truth.faults.append(Fault("stop worker", 108.0, 114.9))
    assert kinds(truth) == set()  # judged before it, and stopped before it was sent


# --- copies ---


def test_a_copy_that_nothing_explains_is_found(truth: Record) -> None:
    truth.arrivals.append(arrival("d0", 103.0))
    assert kinds(truth) == {"copy"}


def test_each_kill_inside_a_send_explains_one_copy(truth: Record) -> None:
    truth.faults.append(KILL)
    truth.arrivals.append(arrival("d0", 103.0))
    assert kinds(truth) == set()
    truth.arrivals.append(arrival("d0", 104.0))
    assert kinds(truth) == {"copy"}


def test_a_kill_elsewhere_explains_nothing(truth: Record) -> None:
    truth.arrivals.append(arrival("d0", 140.0))
    truth.faults += [replace(KILL, begun=130.0, ended=130.0)]
    truth.faults += [Fault("kill web", 102.4, 102.4)]
    assert kinds(truth) == {"copy"}


def test_what_the_vendor_cut_off_may_come_again(truth: Record) -> None:
    truth.arrivals[0] = replace(truth.arrivals[0], fate="reset")
    truth.arrivals.append(arrival("d0", 104.0))
    assert kinds(truth) == set()


def test_two_pages_of_one_step_are_found(truth: Record) -> None:
    truth.deliveries.append(delivery("d9", 2, "l2", order=9))
    assert kinds(truth) == {"lost"}


# --- the rest ---


def test_pages_of_one_lane_out_of_order_are_found(truth: Record) -> None:
    truth.deliveries[1] = replace(truth.deliveries[1], lane="l0")
    truth.arrivals[0] = replace(truth.arrivals[0], at=106.0)
    assert kinds(truth) == {"order"}


@pytest.mark.parametrize("lie", ["slug", "said_slug"])
def test_a_page_at_another_tenants_is_found(truth: Record, lie: str) -> None:
    truth.arrivals[0] = replace(truth.arrivals[0], **{lie: "birch"})  # type: ignore[arg-type]
    assert kinds(truth) == {"crossed"}


def test_a_person_of_another_tenant_is_found(truth: Record) -> None:
    truth.arrivals[1] = replace(truth.arrivals[1], place="UBIRCHX")
    assert kinds(truth) == {"crossed"}


def test_what_arrives_without_a_promise_is_found(truth: Record) -> None:
    truth.arrivals.append(arrival("unknown", 120.0))
    assert kinds(truth) == {"phantom"}


def test_a_run_that_is_not_its_policy_is_found(truth: Record) -> None:
    truth.runs[0] = replace(truth.runs[0], steps=(("channel", "x", 0),))
    assert kinds(truth) == {"snapshot"}


def test_an_error_that_is_no_503_is_found(truth: Record) -> None:
    truth.events.append(Event("acorn", "c", "firing", 1.0, 2.0, 500))
    assert kinds(truth) == {"answer"}


def late(truth: Record) -> Record:
    truth.steps[1] = replace(truth.steps[1], done=125.2)
    truth.arrivals[1] = replace(truth.arrivals[1], at=125.4)
    return truth


def test_a_claim_that_is_late_is_found(truth: Record) -> None:
    assert kinds(late(truth)) == {"late"}


def test_lateness_counts_from_the_end_of_the_fault(truth: Record) -> None:
    truth.faults.append(Fault("kill postmaster", 104.0, 118.0))
    assert kinds(late(truth)) == set()
    truth.faults[0] = replace(truth.faults[0], ended=110.0)
    assert kinds(truth) == {"late"}


def test_a_process_that_grows_is_found(truth: Record) -> None:
    truth.memory["web"] = 5_000
    assert kinds(truth) == {"memory"}
