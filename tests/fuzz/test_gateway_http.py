"""Random HTTP requests to the gateway, beside requests that are right."""

from typing import Any, Final

from tests.fuzz.http_requests import HttpEdge, answer_to, documented_operations, is_internal_error
from tests.fuzz.rounds import rounds
from tests.fuzz.tracebacks import tracebacks
from tests.support.builders import KEY
from tests.support.gateway.fake_links import answering_links
from tests.support.gateway.fake_trading import answering_trading
from tests.support.gateway.fake_trading_admin import answering_trading_admin
from tests.support.gateway.process import gateway_process
from tests.support.servers import NatsServer

_ROUNDS: Final = 240
_OPERATIONS_ROUNDS: Final = 60
_GATEWAY: Final = HttpEdge(
    operations=documented_operations("gateway"),
    paths=(
        "/ws", "/v1/bars", "/v1/gaps", "/v1/quotes", "/v1/depth", "/v1/status", "/v1/openapi.json",
        "/v1/instruments", "/auth/login", "/auth/refresh", "/auth/signup", "/v1/../auth/login",
        "/v1/orders", "/v1/orders/preview", "/v1/orders/events", "/v1/orders/o-1",
        "/v1/orders/%ff%2e", "/v1/trades", "/v1/positions", "/v1/positions/NSE_EQ%7CINE002A01018",
        "/v1/holdings", "/v1/funds", "/v1/limits", "/v1/kill-switch", "/v1/paper/reset",
        "/v1/orders/o-1/preview", "/v1/instruments/NSE_EQ%7CINE002A01018", "/v1/instruments/%00",
        "/v1/option-chain", "/v1/watchlists", "/v1/watchlists/x", "/.well-known/jwks.json",
        "/page-reports", "/link",
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


_UPSTOX: Final = HttpEdge(
    operations=(),
    paths=(
        "/v1/hooks/upstox/user-1/orders", "/v1/hooks/upstox/user-1/token",
        "/v1/hooks/upstox/%2e%2e/orders", "/v1/hooks/upstox/%ff/token", "/v1/hooks/upstox//orders",
        "/v1/link/upstox", "/v1/link/upstox/finish", "/v1/link/upstox/request",
        "/v1/link/upstox/callback",
    ),
    parameters=("state", "code", "error", "purpose"),
    values=("user-1." + "x" * 43, "abc123", "access_denied", "trading", "feed"),
    bodies=(
        {
            "update_type": "order", "order_id": "251128000000001", "user_id": "SIM001",
            "status": "complete", "tag": "o-1", "average_price": 1_400.05,
        },
        {
            "client_id": "client-1", "user_id": "SIM001", "access_token": "x.y.z",
            "token_type": "Bearer", "expires_at": "1795408200000", "issued_at": "1795408200000",
            "message_type": "access_token",
        },
        {"purpose": "trading", "client_id": "client-1", "client_secret": "secret-1"},
        {"answer": "user-1." + "x" * 43 + ":abc123"},
        {"purpose": "feed"},
    ),
)  # fmt: skip
_ADMIN: Final = HttpEdge(
    operations=documented_operations("gateway"),
    paths=(
        "/v1/admin/gateway", "/v1/admin/history", "/v1/admin/kill-switch",
        "/v1/admin/kill-switch/global", "/v1/admin/kill-switch/instruments/NSE_EQ%7CINE002A01018",
        "/v1/admin/kill-switch/instruments/%7C", "/v1/admin/kill-switch/users/user-1",
        "/v1/admin/users/user-1/loss-lock/lift", "/v1/admin/users/user-1/limits",
        "/v1/admin/users/user-1/orders", "/v1/admin/users/user-1/events",
        "/v1/admin/users/%2e%2e/limits", "/v1/link/upstox",
    ),
    parameters=("account", "after", "limit", "open_only", "purpose"),
    values=("paper", "7", "true", "feed"),
    bodies=({"is_on": True, "reason": "halted"}, {"reason": "asked"}, {"purpose": "feed"}),
)  # fmt: skip
_UNLIMITED: Final[dict[str, Any]] = dict.fromkeys(
    (
        "ACCEPT_PER_SEC", "ACCEPT_PER_SEC_PER_ADDRESS", "REQUESTS_PER_SEC", "REQUESTS_BURST",
        "ADDRESS_REQUESTS_PER_SEC", "ADDRESS_REQUESTS_BURST", "HOOKS_PER_SEC", "HOOKS_BURST",
    ),
    "1000000000",
)  # fmt: skip
_EDGES: Final[tuple[tuple[HttpEdge, tuple[str, ...]], ...]] = (
    (_GATEWAY, ()),
    (_UPSTOX, ()),
    (_ADMIN, ("admin",)),
)


async def test_no_request_ends_the_gateway_or_is_an_internal_error(nats: NatsServer) -> None:
    async with (
        answering_trading(nats),
        answering_links(nats),
        answering_trading_admin(nats),
        gateway_process(nats, **_UNLIMITED) as gateway,
    ):
        edges = [(edge, gateway.issuer.token(roles=list(roles))) for edge, roles in _EDGES]
        pid = gateway.process.pid
        for source in rounds(_ROUNDS):
            edge, token = source.choice(edges)
            request = edge.request(source, token)
            answer = await answer_to(gateway.port, request)
            assert not is_internal_error(answer), (request, answer)
            assert token.encode() not in answer
            async with gateway.http.get(f"{gateway.url}/v1/status") as response:
                assert response.status == 401
        assert gateway.process.pid == pid
        assert gateway.process.is_running
        assert not (found := tracebacks(gateway.process.log())), found


async def test_no_request_to_the_operations_port_hides_the_state_of_a_service(
    nats: NatsServer,
) -> None:
    edge = HttpEdge(
        operations=(), paths=("/metrics", "/readyz", "/healthz"), parameters=("name[]",),
        values=("tradedad_gateway_streams",), bodies=({},), headers=("Accept: text/plain",),
    )  # fmt: skip
    async with gateway_process(nats) as gateway:
        port = int(gateway.process.ops_url.rpartition(":")[2])
        for source in rounds(_OPERATIONS_ROUNDS):
            request = edge.request(source, "x.y.z")
            answer = await answer_to(port, request)
            assert not is_internal_error(answer), (request, answer)
            assert await gateway.process.readyz_status() == 200
            assert await gateway.metric("tradedad_gateway_streams") == 0.0
        assert gateway.process.is_running
        assert not (found := tracebacks(gateway.process.log())), found
