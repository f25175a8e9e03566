"""Reports of browsers about the page, by HTTP."""

import json

from prometheus_client import REGISTRY

from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.rest import send
from tests.support.servers import NatsServer


def counted(kind: str) -> float:
    name = "tradedad_gateway_page_reports_total"
    return REGISTRY.get_sample_value(name, {"kind": kind}) or 0.0


async def test_reports_are_counted_by_kind_at_a_bounded_rate_and_size(nats: NatsServer) -> None:
    before = counted("policy"), counted("error")
    reports = json.dumps(
        [
            {"type": "csp-violation", "body": {"effectiveDirective": "img-src"}},
            {"type": "page-error", "body": {"message": "x is undefined"}},
        ]
    )
    async with running_gateway(nats) as gateway:

        async def post(body: str) -> int:
            return (await send(gateway, "POST", "/page-reports", token=None, body=body)).status

        assert await post(reports) == 204
        assert (counted("policy"), counted("error")) == (before[0] + 1, before[1] + 1)
        assert await post("[" + " " * 20_000 + "]") == 413
        assert await post("no json") == 400
        statuses = [await post("[]") for _ in range(30)]
        assert statuses[0] == 204
        assert statuses[-1] == 429
        assert (counted("policy"), counted("error")) == (before[0] + 1, before[1] + 1)
