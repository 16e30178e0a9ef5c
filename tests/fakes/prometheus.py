"""A Prometheus on loopback that answers range queries.

https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.vendor import FakeVendor, Reply, Request

MOST_POINTS = 11_000


class FakePrometheus(FakeVendor):
    """See the module. Each query finds `count` series, unless `result` is given."""

    SECRET_TEXT = "prom-s3cr3t-0123456789"

    def __init__(self) -> None:
        super().__init__()
        self.count = 2
        self.result: list[Any] | None = None

    def act(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.SECRET_TEXT}":
            return Reply(401, "Unauthorized")
        if (request.method, request.path) != ("POST", "/api/v1/query_range"):
            return Reply(404, "404 page not found")
        asked = self.asked(request)
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        if end < start or (end - start) / step > MOST_POINTS or "(" in asked["query"]:
            told = {"status": "error", "errorType": "bad_data", "error": "bad query"}
            return Reply(400, told)
        result = self.result
        if result is None:
            times = [start + n * step for n in range(int((end - start) / step) + 1)]
            result = [self.series(number, times) for number in range(self.count)]
        data = {"resultType": "matrix", "result": result}
        return Reply(200, {"status": "success", "data": data})

    def asked(self, request: Request) -> dict[str, str]:
        return dict(parse_qsl(request.raw.decode()))

    def series(self, number: int, times: list[float]) -> dict[str, Any]:
        values = [[at, f"{number + math.sin(at / 300):.4f}"] for at in times]
        metric = {"__name__": "disk_used", "instance": f"db-{number}"}
        return {"metric": metric, "values": values}
