"""A mail server on loopback: a ledger of mails, and refusals to order (aiosmtpd)."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class Mail:
    """One mail that was taken."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    raw: bytes = b""


class AnyPort(Controller):
    """A controller that lets the system choose the port."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()


class FakeSmtp:
    """See the module. A context manager; `url` is an ALERTCENTER_EMAIL_URL."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        users: dict[str, str] | None = None,
    ) -> None:
        """`tls`: from the first byte; `starttls`: nothing is taken before the upgrade;
        `users`: nothing is taken from others."""
        self.mails: list[Mail] = []
        self.logins: list[str] = []
        self._recipients: deque[str] = deque()
        self._data: deque[str | float] = deque()
        self._users = users or {}
        options: dict[str, Any] = {}
        if users:
            options = {
                "auth_required": True,
                "auth_require_tls": not tls,
                "authenticator": self._login,
            }
        if starttls:
            options |= {"tls_context": starttls, "require_starttls": True}
        self._controller = AnyPort(
            self, hostname="127.0.0.1", port=0, ssl_context=tls, **options
        )

    def __enter__(self) -> FakeSmtp:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def refuse_recipient(self, reply: str = "550 5.1.1 no such user") -> None:
        self._recipients.append(reply)

    def refuse_data(self, reply: str = "451 4.3.0 try again") -> None:
        self._data.append(reply)

    def silent_after_data(self, seconds: float) -> None:
        """Take the mail, and say so late."""
        self._data.append(seconds)

    def cut_after_data(self) -> None:
        """Take the mail, and hang up without a word."""
        self._data.append(-1.0)

    # --- aiosmtpd's hooks ---

    def _login(
        self, _server: Any, _session: Any, _envelope: Any, _how: Any, given: Any
    ) -> AuthResult:
        name, password = given.login.decode(), given.password.decode()
        self.logins.append(name)
        return AuthResult(success=self._users.get(name) == password, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self._recipients:
            return self._recipients.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any
    ) -> str:
        order = self._data.popleft() if self._data else ""
        if isinstance(order, str) and order:
            return order
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(
            Mail(envelope.mail_from, envelope.rcpt_tos, message, envelope.content)
        )
        if order == -1.0:
            server.transport.abort()
        elif isinstance(order, float):
            await asyncio.sleep(order)
        return "250 2.0.0 taken"
