"""How does Amazon SNS send a text message?

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html - a form in, XML out, signed
as Signature Version 4 has it. No SDK: it would bring its own HTTP past our guard, and
would find the machine's own keys where a tenant gave none.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common import world_time
from alertcenter.common.outbound import Answer
from notifications.channels import http
from notifications.channels.base import Receipt, Setting
from notifications.channels.phones import SENDER_NAME, ProviderRefused

VERSION, SERVICE = "2010-03-31", "sns"
ALGORITHM = "AWS4-HMAC-SHA256"
FORM = "application/x-www-form-urlencoded"
REGION = re.compile(r"[a-z]{2}(-[a-z]{2,10}){1,3}-[0-9]{1,2}")
KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
SMS = "AWS.SNS.SMS"
ID = re.compile(r"<MessageId>([^<]{1,100})</MessageId>")
CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
MESSAGE = re.compile(r"<Message>([^<]{1,500})</Message>")
# https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
LATER = frozenset(
    ("Throttling", "ThrottlingException", "ThrottledException", "Throttled",
     "ServiceUnavailable", "InternalFailure", "InternalError", "RequestExpired")
)  # fmt: skip
LATER_SECONDS = 5.0
INVALID = ("InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid")
ABOUT_THE_NUMBER = ("phonenumber", "phone number", "opted out", "optedout")


def publish(
    account: Mapping[str, Any], secret: Mapping[str, str], to: str, text: str
) -> Receipt:
    """Send one text message. Raises DeliveryError."""
    region = str(account.get("aws_region") or "")
    default = f"https://sns.{region}.amazonaws.com"
    if region.startswith("cn-"):
        default += ".cn"
    url = str(account.get("sns_url") or default).rstrip("/") + "/"
    body = urlencode(form_of(to, text, str(account.get("sender_id") or ""))).encode()
    headers = signed(
        url,
        body,
        region=region,
        key_id=str(account.get("aws_key_id") or ""),
        key=secret.get("aws_secret_key", ""),
        at=datetime.fromtimestamp(world_time.now(), UTC),
    )
    answer = http.call(url, body=body, headers=headers)
    if answer.status not in http.SUCCESS:
        raise refusal(answer)
    found = ID.search(answer.body)
    return Receipt(
        provider_id=found[1] if found else "", answer=f"{answer.status} published"
    )


def form_of(to: str, text: str, sender: str) -> dict[str, str]:
    """Return the request: at once, as what matters, from a name where one is given."""
    form = {
        "Action": "Publish",
        "Version": VERSION,
        "PhoneNumber": to,
        "Message": text,
    }
    marks = {f"{SMS}.SMSType": "Transactional"}
    if sender:
        marks[f"{SMS}.SenderID"] = sender
    for number, (name, value) in enumerate(marks.items(), 1):
        entry = f"MessageAttributes.entry.{number}"
        form[f"{entry}.Name"] = name
        form[f"{entry}.Value.DataType"] = "String"
        form[f"{entry}.Value.StringValue"] = value
    return form


def refusal(answer: Answer) -> ProviderRefused:
    """Return what an error means."""
    code, said = CODE.search(answer.body), MESSAGE.search(answer.body)
    name, words = code[1] if code else "", said[1] if said else ""
    later = name in LATER or answer.status in (http.TOO_MANY, http.REQUEST_TIMEOUT)
    wait = http.retry_after(answer.headers.get("retry-after", ""))
    if wait is None and (answer.status == http.TOO_MANY or name.startswith("Throttl")):
        wait = LATER_SECONDS
    later = later or answer.status >= http.SERVER_ERRORS
    about = any(part in words.casefold() for part in ABOUT_THE_NUMBER)
    return ProviderRefused(
        f"{answer.status} {name}: {words}".strip(": "),
        permanent=not later,
        retry_after=wait if later else None,
        of_the_number=name in INVALID and about,
    )


def signed(
    url: str, body: bytes, *, region: str, key_id: str, key: str, at: datetime
) -> dict[str, str]:
    """Return the headers of a POST, with Signature Version 4."""
    parts = urlsplit(url)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    shown = {"content-type": FORM, "host": parts.netloc, "x-amz-date": stamp}
    names = ";".join(sorted(shown))
    lines = [f"{name}:{shown[name]}" for name in sorted(shown)]
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(["POST", parts.path or "/", "", *lines, "", names, digest])
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join([ALGORITHM, stamp, scope, hashed])
    chain = f"AWS4{key}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        chain = _mac(chain, part)
    return {
        "Content-Type": FORM,
        "X-Amz-Date": stamp,
        "Authorization": f"{ALGORITHM} Credential={key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={_mac(chain, text).hex()}",
    }


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


# --- what an account is ---


def a_region(text: str) -> str:
    """Return a region's name. Raises ValidationError."""
    if not REGION.fullmatch(text.strip()):
        raise ValidationError(_("A region is called like eu-central-1."))
    return text.strip()


def a_key_id(text: str) -> str:
    """Return an access key's id. Raises ValidationError."""
    if not KEY_ID.fullmatch(text.strip()):
        raise ValidationError(_("An access key id is capital letters and digits."))
    return text.strip()


def a_sender(text: str) -> str:
    """Return a name as sender. Raises ValidationError."""
    if not SENDER_NAME.fullmatch(text.strip()):
        raise ValidationError(_("A name has eleven letters or digits at most."))
    return text.strip()


def needed(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Return what an account lacks, by the setting's name."""
    text = _("This is needed to talk to Amazon SNS.")
    lacks = [name for name in ("aws_region", "aws_key_id") if not given.get(name)]
    if not given.get("aws_secret_key") and not held.get("aws_secret_key"):
        lacks.append("aws_secret_key")
    return dict.fromkeys(lacks, text)


ACCOUNT = (
    Setting(
        "aws_region",
        gettext_lazy("AWS region"),
        gettext_lazy("Such as eu-central-1; for Amazon SNS only."),
        check=a_region,
    ),
    Setting("aws_key_id", gettext_lazy("AWS access key id"), check=a_key_id),
    Setting("aws_secret_key", gettext_lazy("AWS secret access key"), secret=True),
    Setting(
        "sender_id",
        gettext_lazy("Sender's name at Amazon"),
        gettext_lazy("Eleven letters at most; not all countries show it."),
        check=a_sender,
    ),
)
