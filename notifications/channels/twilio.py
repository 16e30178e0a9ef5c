"""How is Twilio called, and what do its error codes mean?

https://www.twilio.com/docs/usage/api - HTTP basic auth, a form in, JSON out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.callbacks import Place, address
from notifications.channels import http
from notifications.channels.base import Parcel, Setting
from notifications.channels.phones import ProviderRefused, a_sender

API = "https://api.twilio.com"
VERSION = "2010-04-01"
ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
KEY_SID = re.compile(r"SK[0-9a-f]{32}")

# https://www.twilio.com/docs/api/errors. About the number that was to be reached, for
# good: not valid or not reachable, premium, opted out, no mobile, a landline, itself.
OF_THE_NUMBER = frozenset({
    21202, 21211, 21214, 21217, 21265, 21266, 21268, 21610, 21614, 21635,
})  # fmt: skip
# Too many requests, a queue that is full: later it may go.
LATER = frozenset({14107, 20429, 21611, 30001})
# Not long enough to fail a page, not so short that the queue is still full.
LATER_SECONDS = 30.0

# Each secret, and the account that it was given for.
GIVEN_FOR = (
    ("account_sid", "auth_token"),
    ("key_sid", "key_secret"),
    ("second_account_sid", "second_auth_token"),
)

# Tests and codes are sent once, here and now: no row waits for their fate.
DELIVERED = ("page", "reply")
PASTED = {
    "sms": gettext_lazy("Twilio: when a message comes in (webhook, HTTP POST)"),
    "voice": gettext_lazy("Twilio: when a call comes in (webhook, HTTP POST)"),
}

Account = Mapping[str, Any]


def post(
    account: Account, secret: Mapping[str, str], resource: str, form: Mapping[str, str]
) -> tuple[dict[str, Any], str]:
    """Make one resource (Messages, Calls); return it and the answer in short.

    Raises DeliveryError.
    """
    sid = str(account.get("account_sid") or "")
    where = str(account.get("api_url") or API).rstrip("/")
    answer = http.call(
        f"{where}/{VERSION}/Accounts/{sid}/{resource}.json",
        form=form,
        headers={"Authorization": authorization(sid, account, secret)},
    )
    told = http.read_json(answer)
    code = number_in(told.get("code"))
    words = f"{code}: {told.get('message', '')}" if code else ""
    if answer.status >= http.SERVER_ERRORS or answer.status in http.SUCCESS:
        said = http.need_success(answer, said=words or str(told.get("status", "")))
        return told, said
    raise refusal(answer.status, code, words or answer.body, answer.headers)


def refusal(
    status: int, code: int, words: str, headers: Mapping[str, str]
) -> ProviderRefused:
    """Return what a 4xx means."""
    later = code in LATER or status in (http.TOO_MANY, http.REQUEST_TIMEOUT)
    wait = http.retry_after(headers.get("retry-after", "")) if later else None
    if later and status != http.REQUEST_TIMEOUT and wait is None:
        wait = LATER_SECONDS
    return ProviderRefused(
        f"{status} {words[: http.SHOWN_ANSWER]}".strip(),
        permanent=not later,
        retry_after=wait,
        of_the_number=code in OF_THE_NUMBER,
    )


def number_in(value: Any) -> int:
    """Return an error's code; 0 for none."""
    return value if isinstance(value, int) else 0


def authorization(sid: str, account: Account, secret: Mapping[str, str]) -> str:
    """Return the header: by an API key where there is one, else the auth token."""
    name, word = sid, secret.get("auth_token", "")
    if account.get("key_sid") and secret.get("key_secret"):
        name, word = str(account["key_sid"]), secret["key_secret"]
    return f"Basic {base64.b64encode(f'{name}:{word}'.encode()).decode()}"


def callback(parcel: Parcel, what: str) -> str:
    """Return the address at which Twilio tells, or asks, about this delivery; "" for
    what is no delivery, and where this installation cannot be called."""
    reachable = parcel.settings.get("callbacks", True)
    if parcel.channel_id is None or parcel.kind not in DELIVERED or not reachable:
        return ""
    place = Place(parcel.tenant_id, parcel.channel_id, parcel.delivery_id)
    return address("twilio", what, place)


def pasted(what: str) -> Callable[[UUID, UUID], list[tuple[Any, str]]]:
    """Return what tells an operator our address for Twilio's console."""

    def told(tenant_id: UUID, channel_id: UUID) -> list[tuple[Any, str]]:
        place = Place(tenant_id, channel_id)
        return [(PASTED[what], address("twilio", what, place))]

    return told


# --- what an account is ---


def an_account(sid: str) -> str:
    """Return an account's id. Raises ValidationError."""
    if not ACCOUNT_SID.fullmatch(sid.strip()):
        raise ValidationError(_("An account SID is AC and 32 digits or letters a-f."))
    return sid.strip()


def a_key(sid: str) -> str:
    """Return an API key's id. Raises ValidationError."""
    if not KEY_SID.fullmatch(sid.strip()):
        raise ValidationError(_("A key's SID is SK and 32 digits or letters a-f."))
    return sid.strip()


def needed(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Return what an account lacks, by the setting's name."""
    if settings.SIMULATION:
        return {}
    lacks: dict[str, Any] = {}
    if not given.get("account_sid"):
        lacks["account_sid"] = _("This is needed to talk to Twilio.")
    has = {name for name in held if held[name]} | {n for n in given if given[n]}
    by_key = {"key_sid", "key_secret"} <= has
    # What Twilio sends us is signed with the auth token, also for who calls by a key.
    if "auth_token" not in has and (given.get("callbacks") or not by_key):
        lacks["auth_token"] = _("This is needed to talk to Twilio.")
    if given.get("key_sid") and "key_secret" not in has:
        lacks["key_secret"] = _("A key has a secret.")
    return lacks | moved(given, held)


def moved(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """A stored secret is shown to no other account than that it was given for."""
    lacks = {}
    for name, secret in GIVEN_FOR:
        before, now = given.get("stored", {}).get(name), given.get(name)
        other = before and now and before != now
        if other and held.get(secret) and not given.get(secret):
            lacks[secret] = _("It is another one's: give the secret again.")
    return lacks


# --- the account, or the number, that stands in ---


def has_second(account: Account) -> bool:
    return bool(account.get("second_from_number"))


def by_second(parcel: Parcel) -> Parcel:
    """Return the parcel as the second account, or the second number, sends it."""
    account, secret = dict(parcel.settings), dict(parcel.secret)
    account["from_number"] = account.get("second_from_number")
    account["messaging_service_sid"] = ""
    account["api_url"] = account.get("second_api_url") or account.get("api_url")
    if account.get("second_account_sid"):
        account |= {"account_sid": account["second_account_sid"], "key_sid": ""}
        secret = {"auth_token": secret.get("second_auth_token", "")}
    return replace(parcel, settings=account, secret=secret)


def second_needed(given: Account, held: Mapping[str, str]) -> dict[str, Any]:
    """Return what the second account lacks, by the setting's name."""
    lacks: dict[str, Any] = {}
    token = given.get("second_auth_token") or held.get("second_auth_token")
    if given.get("second_account_sid") and not token:
        lacks["second_auth_token"] = _("This is needed to talk to Twilio.")
    return lacks


def auth_tokens(secret: Mapping[str, str]) -> list[str]:
    """Return with what Twilio may have signed: each account has its own."""
    found = (secret.get("auth_token"), secret.get("second_auth_token"))
    return [token for token in found if token]


ACCOUNT = (
    Setting(
        "account_sid",
        gettext_lazy("Account SID"),
        gettext_lazy("Begins with AC."),
        check=an_account,
    ),
    Setting(
        "auth_token",
        gettext_lazy("Auth token"),
        gettext_lazy("Twilio signs with it what it tells us."),
        secret=True,
    ),
    Setting(
        "key_sid",
        gettext_lazy("API key"),
        gettext_lazy("Begins with SK; used in place of the auth token to call Twilio."),
        check=a_key,
    ),
    Setting("key_secret", gettext_lazy("API key's secret"), secret=True),
)
CALLBACKS = Setting(
    "callbacks",
    gettext_lazy("Twilio can reach us"),
    gettext_lazy(
        "Then it tells what became of each message, and answers work. Our public "
        "address is ALERTCENTER_BASE_URL."
    ),
    kind="flag",
    default=True,
)
SECOND = (
    Setting(
        "second_from_number",
        gettext_lazy("Second number"),
        gettext_lazy("At Twilio; stands in when the first account or number fails."),
        check=a_sender,
    ),
    Setting(
        "second_account_sid",
        gettext_lazy("Second account SID"),
        gettext_lazy("The second number's account. Empty: the same one."),
        check=an_account,
    ),
    Setting("second_auth_token", gettext_lazy("Second auth token"), secret=True),
)
