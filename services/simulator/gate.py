"""What every call must pass: Upstox's rate limits, and for orders the static IP."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.envelope import RATE_LIMIT, UPSTOX_PATHS, refuse
from services.simulator.orders.refused import STATIC_IP
from services.simulator.rate_limit import CallLimits, RateLimit
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens
from shared.runtime.clock import Clock

_ORDER_PATHS: Final = ("/v2/order/", "/v3/order/")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def gate(settings: SimulatorSettings, tokens: Tokens, clock: Clock) -> Any:
    """The middleware; limits are of wall time, for they guard a machine, not a market.

    The calls of one user share their windows, orders apart from the rest. An order with
    the name of a registered algorithm may come as often as the rest.
    """
    limit = RateLimit()
    allowed = frozenset(filter(None, settings.order_ips.replace(" ", "").split(",")))

    @web.middleware
    async def pass_or_refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(UPSTOX_PATHS):
            grant = tokens.presented(request)
            who = grant.user_id if grant is not None else f"ip {request.remote}"
            is_order = _is_order(request)
            if is_order and allowed and request.remote not in allowed:
                raise refuse(
                    HTTPStatus.FORBIDDEN,
                    STATIC_IP,
                    "Orders are taken from the registered static IP only",
                    value=request.remote,
                )
            if settings.rate_limits:
                limits = _limits(request, settings, is_order=is_order)
                if not limit.allow(f"{who} {is_order}", limits, clock.monotonic()):
                    raise refuse(HTTPStatus.TOO_MANY_REQUESTS, RATE_LIMIT, "Too Many Request Sent")
        return await handler(request)

    return pass_or_refuse


def _is_order(request: web.Request) -> bool:
    return request.method != "GET" and request.path.startswith(_ORDER_PATHS)


def _limits(request: web.Request, settings: SimulatorSettings, *, is_order: bool) -> CallLimits:
    slow = is_order and "X-Algo-Name" not in request.headers
    per_second = settings.order_calls_per_sec if slow else settings.calls_per_sec
    return CallLimits(per_second, settings.calls_per_minute, settings.calls_per_half_hour)
