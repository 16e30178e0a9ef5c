"""What is inside a message of Amazon SNS? For the adapters of what AWS sends.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import json
from typing import Any

from alertcenter.alerts.sources.shapes import text

# About a subscription, not about anything that happened.
SUBSCRIPTIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
KIND = "x-amz-sns-message-type"
LARGEST = 512 * 1024


def opened(data: Any) -> tuple[Any, str]:
    """Return what SNS, or Lambda or SQS around it, wraps, and the subject.

    What is no JSON is returned as the text it is; what is no envelope, as it came.
    """
    if type(data) is not dict:
        return data, ""
    records = data.get("Records")
    if type(records) is list and len(records) == 1 and type(records[0]) is dict:
        inner = records[0].get("Sns")
        if inner is None and type(records[0].get("body")) is str:
            inner = decoded(records[0]["body"])
        if type(inner) is dict:
            data = inner
    if "Message" not in data or "detail-type" in data:
        return data, ""
    message, subject = data["Message"], text(data.get("Subject"))
    return decoded(message) if type(message) is str else message, subject


def decoded(words: str) -> Any:
    """Return the JSON object in `words`, or the words."""
    if words.lstrip()[:1] == "{" and len(words) <= LARGEST:
        try:
            return json.loads(words, strict=False)
        except (ValueError, RecursionError):
            pass
    return words
