"""An Amazon SNS on loopback: Publish to a phone, checked as Amazon checks it.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html. Amazon's own library says
whether a request is signed. `requests` is the ledger; the next ones can be refused.
"""

from __future__ import annotations

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION, KEY_ID, KEY = "eu-central-1", "AKIDEXAMPLE000000001", "wJalrXUtnFEMI/example"
SPACE = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'
OK = (
    f"<PublishResponse {SPACE}><PublishResult><MessageId>{{id}}</MessageId>"
    "</PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
    "</PublishResponse>"
)
ERROR = (
    f"<ErrorResponse {SPACE}><Error><Type>Sender</Type><Code>{{code}}</Code>"
    "<Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
)


def signature(headers: dict[str, str], url: str, body: bytes) -> str:
    """Return what Amazon's library signs for the same request at the same time."""
    stamp = headers["X-Amz-Date"]
    request = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={"Content-Type": headers["Content-Type"]},
    )
    request.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(KEY_ID, KEY), "sns", REGION)
    request.headers["X-Amz-Date"] = stamp
    canonical = auth.canonical_request(request)
    text = auth.string_to_sign(request, canonical)
    return str(auth.signature(text, request))


class FakeSns:
    """See the module. A context manager; `url` takes the place of Amazon's."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self._refusals: deque[tuple[int, str, str, dict[str, str]]] = deque()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text, more = fake.take(dict(self.headers), self.path, body)
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeSns:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuse(
        self,
        code: str,
        message: str = "",
        status: int = 400,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._refusals.append((status, code, message, headers or {}))

    def take(
        self, headers: dict[str, str], path: str, body: bytes
    ) -> tuple[int, str, dict[str, str]]:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.requests.append(form)
        if self._refusals:
            status, code, message, more = self._refusals.popleft()
            return status, ERROR.format(code=code, message=message), more
        expected = signature(headers, self.url + path, body)
        if not headers["Authorization"].endswith(f"Signature={expected}"):
            said = "The request signature we calculated does not match"
            return 403, ERROR.format(code="SignatureDoesNotMatch", message=said), {}
        return 200, OK.format(id=f"sns-{len(self.requests)}"), {}
