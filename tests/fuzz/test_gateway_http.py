"""Random HTTP requests to the gateway, beside requests that are right."""

from typing import Final

from tests.fuzz.http_requests import HttpEdge, answer_to, is_internal_error
from tests.fuzz.rounds import rounds
from tests.support.builders import KEY
from tests.support.gateway.fake_trading import answering_trading
from tests.support.gateway.process import gateway_process
from tests.support.servers import NatsServer

_ROUNDS: Final = 120
_GATEWAY: Final = HttpEdge(
    paths=(
        "/ws", "/v1/bars", "/v1/gaps", "/v1/quotes", "/v1/depth", "/v1/status", "/v1/openapi.json",
        "/v1/instruments", "/auth/login", "/auth/refresh", "/auth/signup", "/v1/../auth/login",
        "/v1/orders", "/v1/orders/preview", "/v1/orders/events", "/v1/orders/o-1",
        "/v1/orders/%ff%2e", "/v1/trades", "/v1/positions", "/v1/positions/NSE_EQ%7CINE002A01018",
        "/v1/holdings", "/v1/funds", "/v1/limits", "/v1/kill-switch", "/v1/paper/reset",
    ),
    parameters=(
        "key", "keys", "interval", "from", "to", "limit", "cursor", "q", "symbol", "account",
        "product", "after", "open_only",
    ),
    values=(KEY, "5m", "2026-11-20T09:15:00+05:30", "paper", "I", "true", "7"),
    bodies=(
        {"email": "a@example.com", "password": "correct horse battery"},
        {
            "account": "paper", "key": KEY, "side": "BUY", "product": "I", "quantity": 1,
            "order_type": "LIMIT", "price": "100.05",
        },
        {"price": 100.05, "quantity": 2},
        {"is_on": True},
    ),
    headers=("Idempotency-Key: c-1",),
)  # fmt: skip


async def test_no_request_ends_the_gateway_or_is_an_internal_error(nats: NatsServer) -> None:
    async with (
        answering_trading(nats),
        gateway_process(nats, ACCEPT_PER_SEC="100000") as gateway,
    ):
        token = gateway.issuer.token()
        pid = gateway.process.pid
        for source in rounds(_ROUNDS):
            request = _GATEWAY.request(source, token)
            answer = await answer_to(gateway.port, request)
            assert not is_internal_error(answer), (request, answer)
            assert token.encode() not in answer
            async with gateway.http.get(f"{gateway.url}/v1/status") as response:
                assert response.status in (200, 401, 429)
        assert gateway.process.pid == pid
        assert gateway.process.is_running
        assert "Traceback" not in gateway.process.log()
