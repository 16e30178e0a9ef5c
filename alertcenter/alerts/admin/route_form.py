"""How does a person fill in a route? Empty fields are those of the route above."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import routing
from alertcenter.alerts.admin import route_tree
from alertcenter.alerts.models import Route, RouteChannel, TimeInterval
from alertcenter.alerts.models.route import LONGEST_SECONDS
from tenants.admin_forms import (
    LinesField,
    PairsField,
    SecondsField,
    TenantForm,
    in_units,
)

ABOVE, LABELS, ONE, ALONE = "above", "labels", "one", "alone"
GROUPINGS = (
    (ABOVE, gettext_lazy("as the route above")),
    (LABELS, gettext_lazy("by these labels")),
    (ONE, gettext_lazy("all in one group")),
    (ALONE, gettext_lazy("every alert alone")),
)
Channel: Any = RouteChannel._meta.get_field("channel").related_model


class ParentChoice(forms.ModelChoiceField):
    """Routes with the names of those above them."""

    tree: route_tree.Tree

    def label_from_instance(self, obj: Any) -> str:
        node = self.tree.nodes.get(obj.pk)
        return f"{node.above} › {obj.name}" if node and node.above else obj.name


class IntervalsField(forms.MultipleChoiceField):
    """Time intervals by name; a name that is gone stays until it is unticked."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, names: list[str], chosen: list[str]) -> None:
        gone = [(name, f"{name} ({_('is gone')})") for name in chosen]
        known = set(names)
        self.choices = [
            *((name, name) for name in names),
            *(pair for pair in gone if pair[0] not in known),
        ]


class RouteForm(TenantForm):
    """Every route but the default one needs a condition."""

    parent = ParentChoice(
        label=gettext_lazy("Below"),
        queryset=Route.objects.none(),
        required=False,
        empty_label=gettext_lazy("directly below the default route"),
        help_text=gettext_lazy("It only sees what the route above it takes."),
    )
    matchers = LinesField(
        label=gettext_lazy("Conditions"),
        required=False,
        help_text=gettext_lazy(
            'One a line, for example severity="critical" or team=~"db|web". '
            "The default route needs none."
        ),
    )
    grouping = forms.ChoiceField(
        label=gettext_lazy("Groups"),
        choices=GROUPINGS,
        required=False,
        widget=forms.RadioSelect,
    )
    group_by = LinesField(
        label=gettext_lazy("Labels to group by"),
        required=False,
        help_text=gettext_lazy(
            "Label names, one a line: alerts that agree in all of them are one group."
        ),
    )
    group_wait_seconds = SecondsField(
        label=gettext_lazy("Wait before the first message"),
        required=False,
        most=LONGEST_SECONDS,
    )
    group_interval_seconds = SecondsField(
        label=gettext_lazy("Least time between messages about a group"),
        required=False,
        least=1,
        most=LONGEST_SECONDS,
    )
    repeat_interval_seconds = SecondsField(
        label=gettext_lazy("Say it again after"),
        required=False,
        least=1,
        most=LONGEST_SECONDS,
        help_text=gettext_lazy("Durations such as 30s, 5m, 4h; empty: as above."),
    )
    told: Any = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Channels"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Told of every group, with reminders until it is resolved."
        ),
    )
    mute_intervals = IntervalsField(
        label=gettext_lazy("Quiet in these intervals"), required=False
    )
    active_intervals = IntervalsField(
        label=gettext_lazy("Heard in these intervals only"), required=False
    )
    labels = PairsField(
        label=gettext_lazy("Labels"),
        required=False,
        help_text=gettext_lazy(
            "name=value, one a line; said with every message of this route."
        ),
    )

    class Meta:
        model = Route
        fields = (
            "name",
            "active",
            "is_default",
            "parent",
            "position",
            "matchers",
            "continue_matching",
            "group_by",
            "group_wait_seconds",
            "group_interval_seconds",
            "repeat_interval_seconds",
            "storm_per_minute",
            "policy",
            "tells_nobody",
            "receiver",
            "mute_intervals",
            "active_intervals",
            "labels",
        )

    class Media:
        js = ("admin/alertcenter/route.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant_id = self.membership.tenant_id
        self.tree = route_tree.read(tenant_id)
        self._offer_routes()
        self._offer_channels()
        names = TimeInterval.objects.filter(tenant_id=tenant_id)
        known = list(names.order_by("name").values_list("name", flat=True))
        for field in ("mute_intervals", "active_intervals"):
            choice: Any = self.fields[field]
            choice.offer(known, getattr(self.instance, field))
        self.fields["grouping"].initial = grouping_of(self.instance)
        if grouping_of(self.instance) != LABELS:
            self.initial["group_by"] = []
        self._say_inherited()

    def _offer_routes(self) -> None:
        """Offer every route of the tenant: why one cannot be above is said in words."""
        field: Any = self.fields["parent"]
        field.tree = self.tree
        rows = Route.objects.filter(tenant_id=self.membership.tenant_id)
        field.queryset = rows.filter(is_default=False).order_by("position", "name")

    def _offer_channels(self) -> None:
        field: Any = self.fields["told"]
        tenant_id = self.membership.tenant_id
        field.queryset = Channel.objects.filter(tenant_id=tenant_id).order_by("name")
        if not self.instance._state.adding:
            own = RouteChannel.objects.filter(route=self.instance, tenant_id=tenant_id)
            field.initial = list(own.values_list("channel_id", flat=True))

    def _say_inherited(self) -> None:
        """Show in each empty field what holds then."""
        above = self.above()
        for name, seconds in (
            ("group_wait_seconds", above.wait_seconds),
            ("group_interval_seconds", above.interval_seconds),
            ("repeat_interval_seconds", above.repeat_seconds),
        ):
            hint = _("as above: %(duration)s") % {"duration": in_units(seconds)}
            self.fields[name].widget.attrs["placeholder"] = hint

    def above(self) -> routing.CompiledRoute:
        """Return the route from which this one inherits."""
        parent = self.tree.nodes.get(self.instance.parent_id)
        root = self.tree.nodes.get(self.tree.root.pk) if self.tree.root else None
        for node in (parent, root if not self.instance.is_default else None):
            if node is not None and node.whole is not None:
                return node.whole
        return routing.CompiledRoute(None, "", (), (), routing.WAIT_SECONDS, None, True)

    # --- what makes no sense is refused with a sentence ---

    def clean_group_by(self) -> list[str]:
        names: list[str] = self.cleaned_data["group_by"]
        for name in names:
            if name != routing.EVERY_LABEL and ("=" in name or " " in name):
                raise ValidationError(
                    _("%(name)s is not the name of a label."), params={"name": name}
                )
        return list(dict.fromkeys(names))

    def clean_parent(self) -> Route | None:
        parent: Route | None = self.cleaned_data["parent"]
        if parent is None:
            return None
        pk = self.instance.pk
        if not self.instance._state.adding:
            if parent.pk == pk:
                raise ValidationError(_("A route cannot be below itself."))
            if parent.pk in self.tree.below(pk):
                raise ValidationError(
                    _("%(name)s is below this route already."),
                    params={"name": parent.name},
                )
        depth = self.tree.nodes[parent.pk].depth + 1
        if depth + self.tree.height(pk) >= routing.DEEPEST:
            raise ValidationError(
                _("Routes may be at most %(most)s levels deep."),
                params={"most": routing.DEEPEST},
            )
        return parent

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "group_by" in cleaned:
            cleaned["group_by"] = self.grouped(cleaned)
        if cleaned.get("is_default") and cleaned.get("parent"):
            self.add_error("parent", _("The default route is above all others."))
        if cleaned.get("tells_nobody") and (
            cleaned.get("policy") or cleaned.get("told")
        ):
            self.add_error(
                "tells_nobody", _("It has a policy or channels, so it tells somebody.")
            )
        if "matchers" in self.errors or cleaned.get("is_default"):
            return cleaned
        if not cleaned.get("matchers"):
            self.add_error("matchers", _("A route needs at least one condition."))
        return cleaned

    def grouped(self, cleaned: dict[str, Any]) -> list[str] | None:
        """Return what is stored: None as above, [] one group, ["..."] alone."""
        names: list[str] = cleaned["group_by"]
        how = cleaned.get("grouping") or (LABELS if names else ABOVE)
        if how == LABELS and not names:
            self.add_error("group_by", _("Name a label, or choose another grouping."))
        return {ABOVE: None, ONE: [], ALONE: [routing.EVERY_LABEL]}.get(how, names)

    def save_channels(self) -> None:
        """Write which channels are told, once the route itself is."""
        route = self.instance
        rows = RouteChannel.objects.filter(tenant_id=route.tenant_id, route=route)
        wanted = {channel.pk for channel in self.cleaned_data["told"]}
        known = set(rows.values_list("channel_id", flat=True))
        rows.exclude(channel_id__in=wanted).delete()
        RouteChannel.objects.bulk_create(
            RouteChannel(tenant_id=route.tenant_id, route=route, channel_id=pk)
            for pk in sorted(wanted - known)
        )


def grouping_of(route: Route) -> str:
    """Return which of the choices a route has made."""
    if route.group_by is None:
        return ABOVE
    if not route.group_by:
        return ONE
    return ALONE if routing.EVERY_LABEL in route.group_by else LABELS
