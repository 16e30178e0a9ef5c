"""In which words is a request refused? The same on the fast road and in DRF."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.fingerprint import named_key
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope

RETRY = {"Retry-After": "2"}
CHALLENGE = {"WWW-Authenticate": 'Basic realm="AlertCenter", charset="UTF-8"'}
NO_KEY = _("Send a valid API key as bearer token or as basic-auth password.")
NOTHING_HERE = _("There is nothing here.")
AWAY = _("The database does not answer; nothing was kept. Please send it again.")
OVERLOADED = _("Too much waits to be stored. Please send it again.")


def admitted(key: KeyInfo | None, slug: str, scope: str) -> KeyInfo:
    """Return `key` if it opens tenant `slug` for `scope`. Raises Refused."""
    if key is None:
        raise no_key()
    if key.slug != slug:
        raise not_found()
    if scope not in key.scopes:
        raise missing_scope(scope)
    return key


def no_key() -> Refused:
    return Refused(401, "no_valid_key", NO_KEY, CHALLENGE)


def no_key_in_address() -> Refused:
    message = _(
        "The key in this address is not valid; "
        "make one under Integrations in the admin."
    )
    return Refused(401, "no_valid_key", message, CHALLENGE)


def not_found() -> Refused:
    return Refused(404, "not_found", NOTHING_HERE)


def missing_scope(scope: str) -> Refused:
    message = _("This key lacks the scope %(scope)s.") % {"scope": scope}
    return Refused(403, "missing_scope", message)


def check_act(key: KeyInfo, scope: str, dedup_key: str) -> None:
    """Raise Refused unless the key may act on this alert: on those that came with it,
    and with the scope for it on all of its tenant's."""
    if Scope.ACT not in key.scopes and not dedup_key.startswith(named_key(scope, "")):
        raise missing_scope(Scope.ACT.value)


def away() -> Refused:
    return Refused(503, "database_away", AWAY, RETRY)


def overloaded() -> Refused:
    return Refused(503, "overloaded", OVERLOADED, RETRY)


def bad_idempotency_key(longest: int) -> Refused:
    message = _("An Idempotency-Key has 1 to %(longest)s printable characters.")
    return Refused(400, "bad_idempotency_key", message % {"longest": longest})


def key_reused() -> Refused:
    """As the draft on Idempotency-Key wants it."""
    message = _("This Idempotency-Key came before, with another body.")
    return Refused(422, "idempotency_key_reused", message)


def wrong_type(given: str) -> Refused:
    """In Alertmanager's words, which its readers know."""
    message = f'unsupported media type "{given}", only [application/json] are allowed'
    return Refused(415, "unsupported_type", message)


def not_allowed(method: str, allowed: str) -> Refused:
    """In Alertmanager's words."""
    message = f"method {method} is not allowed, but [{allowed}] are"
    return Refused(405, "method_not_allowed", message, {"Allow": allowed})
