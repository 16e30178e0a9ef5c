"""How is a policy tried, and watched meanwhile? Pages of the policy's admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from alertcenter.alerts.lifecycle import database_time
from alertcenter.common.buckets import Buckets
from escalation import dry_run
from escalation.admin.policy_timeline import ENDS, REASONS, after, supposed
from escalation.dry_run import Progress
from escalation.models import DryRun, Policy
from escalation.steps import registry
from notifications.channels.registry import choices
from notifications.models import Channel
from tenants import roles
from tenants.admin_base import membership_of
from tenants.models import Member, Tenant

# A walk may write hundreds of messages into the outbox.
RUNS = Buckets(rate=1 / 10, burst=6)
SHORTEST_REFRESH = 2
MOST_SHOWN = 100
DRY_ENDS = ENDS | {
    "long": gettext_lazy("More would come, later than a dry run goes."),
}


class DryRuns:
    """Mix in before PolicyAdmin's base: three addresses below a policy's own."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/dry-run/stop/",
                wrap(require_POST(self.stop_view)),
                name="escalation_policy_dry_run_stop",
            ),
            path(
                "<path:object_id>/dry-run/watch/",
                wrap(never_cache(require_safe(self.watch_view))),
                name="escalation_policy_dry_run_watch",
            ),
            path(
                "<path:object_id>/dry-run/",
                wrap(require_POST(self.dry_run_view)),
                name="escalation_policy_dry_run",
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def dry_run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin a walk for what the timeline supposes."""
        policy = self._policy(request, object_id)
        who = membership_of(request)
        if not who.may(roles.CONFIGURE):
            raise PermissionDenied
        if wait := RUNS.wait(who.tenant_id):
            text = _("Many tests were just sent. Please wait %(seconds)s seconds.")
            self.say(request, text % {"seconds": int(wait) + 1}, good=False)  # type: ignore[attr-defined]
            return self.back_to(policy)  # type: ignore[attr-defined, no-any-return]
        RUNS.take(who.tenant_id)
        zone = Tenant.objects.get(pk=who.tenant_id).time_zone
        _form, asked = supposed(request.POST.dict(), zone)
        found = asked and dry_run.begin(
            who.tenant_id, policy.pk, *asked, actor=who.actor
        )
        if not found:
            return self.back_to(policy)  # type: ignore[attr-defined, no-any-return]
        return HttpResponseRedirect(watching(found))

    def stop_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self._policy(request, object_id)
        who = membership_of(request)
        if not who.may(roles.CONFIGURE):
            raise PermissionDenied
        run = self._run(policy, request.POST.get("run", ""))
        dry_run.stop(run, who.actor)
        return HttpResponseRedirect(watching(run))

    def watch_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how far a walk has come; `?part=1` gives what a script shows anew."""
        policy = self._policy(request, object_id)
        run = self._run(policy, request.GET.get("run", ""))
        tenant = Tenant.objects.get(pk=run.tenant_id)
        context = self.admin_site.each_context(request) | shown(run, tenant)
        context |= {
            "title": _("Dry run of %(policy)s") % {"policy": policy},
            "opts": self.opts,
            "policy": policy,
            "may_stop": membership_of(request).may(roles.CONFIGURE),
            "outbox": settings.SIMULATION,
            "here": watching(run),
        }
        part = "admin/alertcenter/dry_run_lines.html"
        whole = "admin/alertcenter/dry_run.html"
        return TemplateResponse(
            request, part if "part" in request.GET else whole, context
        )

    def _policy(self, request: HttpRequest, object_id: str) -> Policy:
        policy: Policy | None = self.get_object(  # type: ignore[attr-defined]
            request, unquote(object_id)
        )
        if policy is None:
            raise Http404
        return policy

    def _run(self, policy: Policy, text: str) -> DryRun:
        try:
            pk = UUID(text)
        except ValueError as error:
            raise Http404 from error
        rows = DryRun.objects.filter(tenant_id=policy.tenant_id, policy_id=policy.pk)
        run = rows.filter(pk=pk).first()
        if run is None:
            raise Http404
        return run


def watching(run: DryRun) -> str:
    """Return the address of a walk's page."""
    page = reverse("admin:escalation_policy_dry_run_watch", args=[run.policy_id])
    return f"{page}?run={run.pk}"


# --- what the page says ---


def shown(run: DryRun, tenant: Tenant) -> dict[str, Any]:
    """Return what has happened so far, the newest last."""
    now = database_time()
    progress = Progress(run, now)
    names = Names(run)
    lines = sorted(_lines(run, names), key=lambda line: line["after"])
    done = [line for line in lines if line["after"] <= progress.after]
    coming = next((line for line in lines if line["after"] > progress.after), None)
    zone = ZoneInfo(tenant.time_zone)
    for line in [*done, *([coming] if coming else [])]:
        moment = run.begins_at + timedelta(seconds=line["after"])
        line["at"] = moment
        line["said"] = after(moment, run.begins_at)
    sent = dry_run.messages(run).filter(at__lte=now)
    return {
        "run": run,
        "lines": done,
        "coming": coming if not progress.over else None,
        "over": progress.over,
        "stopped": run.stopped_at is not None,
        "ends": DRY_ENDS[run.ends],
        "zone": zone,
        "clock": run.begins_at + timedelta(seconds=progress.after),
        "percent": round(100 * progress.after / progress.last)
        if progress.last
        else 100,
        "sent": [names.of_message(row) for row in sent[:MOST_SHOWN]],
        "sent_count": sent.count(),
        "severity": run.severity,
        "refresh": SHORTEST_REFRESH,
    }


def _lines(run: DryRun, names: Names) -> list[dict[str, Any]]:
    """Return a line for each step, and one for each later call of somebody's chain."""
    lines = []
    for event in run.events:
        at_once = [t for t in event["told"] if t["after"] <= event["after"]]
        later = [t for t in event["told"] if t["after"] > event["after"]]
        lines.append(
            {
                "after": event["after"],
                "step": event["position"] + 1,
                "policy": event["policy"],
                "words": registry.words(event["plan"]),
                "remark": _remark(event),
                "bad": event["reason"] in BAD,
                "told": [names.of(target) for target in at_once],
            }
        )
        lines += [
            {
                "after": target["after"],
                "words": _("A later step of that person's own chain."),
                "told": [names.of(target)],
            }
            for target in later
        ]
    return lines


BAD = ("nobody_on_call", "no_address", "channel_gone", "nobody", "policy_gone")
MORE = {
    "raised": gettext_lazy("It is worse from now on."),
    "resolves": gettext_lazy("It would be resolved."),
}


def _remark(event: Mapping[str, Any]) -> str:
    """Return why nobody is told, or what the step does instead."""
    if event["told"]:
        return ""
    if event["repeats"]:
        return _("Round %(n)s begins.") % {"n": event["round"] + 1}
    if event["reason"] in MORE:
        return str(MORE[event["reason"]])
    if not event["reason"] and registry.kind_of(event["plan"]["kind"]).condition:
        return _("It holds.")
    said = REASONS.get(event["reason"])
    return f"{said} {event['who']}".strip().rstrip(":") + "." if said else ""


class Names:
    """What people and channels of a walk are called now."""

    def __init__(self, run: DryRun) -> None:
        told = [target for event in run.events for target in event["told"]]
        self._names: dict[str, str] = {}
        for model, field in ((Channel, "channel"), (Member, "member")):
            ids = {target[field] for target in told if target[field]}
            rows = model.objects.filter(tenant_id=run.tenant_id, pk__in=ids)
            self._names |= {str(row.pk): row.name for row in rows}
        self._kinds = dict(choices())

    def of(self, target: Mapping[str, Any]) -> dict[str, str]:
        """Return whom a target means, by what he is told."""
        who = self._names.get(target["member"]) or self._names.get(target["channel"])
        return {"who": who or "?", "kind": self.kind(target["kind"])}

    def kind(self, name: str) -> str:
        return str(self._kinds.get(name, name))

    def of_message(self, row: Any) -> dict[str, Any]:
        """Return a message of the outbox as a line."""
        member = str(row.payload.get("member", ""))
        who = self._names.get(member) or self._names.get(str(row.channel_id))
        return {
            "kind": self.kind(row.kind),
            "to": who or row.address,
            "address": row.address,
            "title": row.payload.get("subject", ""),
            "text": row.payload.get("text", ""),
        }
