"""What is inside a message of Amazon SNS? For the adapters of what AWS sends.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import json
from typing import Any

from alertcenter.alerts.sources.shapes import text

# About a subscription, not about anything that happened.
SUBSCRIPTIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
LARGEST = 512 * 1024


def opened(data: Any) -> tuple[Any, str]:
    """Return what SNS, or Lambda around it, wraps, and the subject.

    What is no JSON is returned as the text it is; what is no envelope, as it came.
    """
    if type(data) is not dict:
        return data, ""
    records = data.get("Records")
    if type(records) is list and records and type(records[0]) is dict:
        inner = records[0].get("Sns")
        if type(inner) is dict:
            data = inner
    if "Message" not in data:
        return data, ""
    message, subject = data["Message"], text(data.get("Subject"))
    if type(message) is not str:
        return message, subject
    if message.lstrip()[:1] == "{" and len(message) <= LARGEST:
        try:
            return json.loads(message, strict=False), subject
        except (ValueError, RecursionError):
            pass
    return message, subject
