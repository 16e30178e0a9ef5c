"""How is a request refused? With a status, a code for programs, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The request is not served.

    `code` is a word for programs, `message` a sentence for its sender (it may be
    lazily translated), `headers` go out with the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: Any,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
