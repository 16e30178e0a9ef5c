"""How does a page of the admin offer a deed beside its form?

A method marked `@button` becomes a POST-only address and a button on the object's
page, for those whose role allows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from tenants.rls import in_tenant

Deed = Callable[[Any, HttpRequest, Any], HttpResponse | None]


def button(
    label: Any,
    *,
    needs: str,
    css: str = "",
    shown: Callable[[Any], bool] | None = None,
    outside_transaction: bool = False,
) -> Callable[[Deed], Deed]:
    """Mark a method `(self, request, obj)` as a button with `label`.

    `needs` is what the role must allow; `shown(obj)` hides a pointless button.
    With `outside_transaction` the method runs with no transaction open, because it
    talks to the network; it opens its own for what it writes.
    """

    def mark(deed: Deed) -> Deed:
        deed.button = {  # type: ignore[attr-defined]
            "label": label,
            "needs": needs,
            "css": css,
            "shown": shown or (lambda _obj: True),
            "outside": outside_transaction,
        }
        return deed

    return mark


class Buttons:
    """Gives a ModelAdmin the buttons of its marked methods."""

    model: Any
    opts: Any
    admin_site: Any

    def button_names(self) -> list[str]:
        """Return the names of the marked methods, in the order of the class."""
        names: dict[str, None] = {}
        for owner in reversed(type(self).__mro__):
            for name, value in vars(owner).items():
                if hasattr(value, "button"):
                    names[name] = None
        return list(names)

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<path:object_id>/do/{name}/",
                self.admin_site.admin_view(self._view_of(name)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{name}",
            )
            for name in self.button_names()
        ]
        return own + super().get_urls()  # type: ignore[misc, no-any-return]

    def _view_of(self, name: str) -> Any:
        marks = getattr(self, name).button

        @require_POST
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            membership = getattr(request, "membership", None)
            if membership is None:
                raise Http404
            if not membership.may(marks["needs"]):
                raise PermissionDenied
            obj = self._button_object(request, object_id, membership.tenant_id, marks)
            return getattr(self, name)(request, obj) or self.back_to(obj)

        view.outside_transaction = marks["outside"]  # type: ignore[attr-defined]
        return view

    def _button_object(
        self, request: HttpRequest, object_id: str, tenant_id: UUID, marks: Any
    ) -> Any:
        if not marks["outside"]:
            return self._find(request, object_id)
        with in_tenant(tenant_id):
            return self._find(request, object_id)

    def _find(self, request: HttpRequest, object_id: str) -> Any:
        obj = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if obj is None:
            raise Http404
        return obj

    def back_to(self, obj: Any) -> HttpResponse:
        """Return to the object's page."""
        return HttpResponseRedirect(self._address("change", obj.pk))

    def _address(self, what: str, *args: object) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{what}"
        return reverse(name, args=args, current_app=self.admin_site.name)

    def shown_buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """Return what the template needs for each button on the page of `obj`."""
        membership = getattr(request, "membership", None)
        if membership is None or obj is None:
            return []
        return [
            {
                "label": marks["label"],
                "css": marks["css"],
                "url": self._address(name, obj.pk),
            }
            for name in self.button_names()
            if (marks := getattr(self, name).button)
            and membership.may(marks["needs"])
            and marks["shown"](obj)
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj", args[3] if len(args) > 3 else None)
        context["buttons"] = self.shown_buttons(request, obj)
        return super().render_change_form(  # type: ignore[misc, no-any-return]
            request, context, *args, **kwargs
        )

    def say(self, request: HttpRequest, text: str, *, good: bool = True) -> None:
        """Show `text` on the next page."""
        messages.add_message(
            request, messages.SUCCESS if good else messages.ERROR, text
        )
