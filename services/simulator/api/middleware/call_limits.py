"""Enforces Upstox's rate limits, and for orders the registered static IP addresses."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.simulator.access.rate_limit import RateLimits, SlidingWindowLimiter
from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import grant_of
from services.simulator.api.envelope import UPSTOX_PATHS
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.settings import SimulatorSettings
from shared.runtime.clock import Clock

_ORDER_PATHS: Final = ("/v2/order/", "/v3/order/")


def call_limits(settings: SimulatorSettings, tokens: TokenStore, clock: Clock) -> Middleware:
    """The middleware. Limits apply to wall time, because they protect a server, not a market.

    Each user has one set of windows for order calls and one for all other calls. Order calls of
    a registered algorithm have the limit of the other calls.
    """
    limiter = SlidingWindowLimiter()
    order_ips = frozenset(filter(None, settings.order_ips.replace(" ", "").split(",")))

    @web.middleware
    async def limit_calls(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(UPSTOX_PATHS):
            grant = grant_of(request, tokens)
            caller = grant.user_id if grant is not None else f"ip {request.remote}"
            is_order = _is_order_call(request)
            if is_order and order_ips and request.remote not in order_ips:
                raise ApiError(
                    ErrorCode.UNREGISTERED_IP,
                    "Orders are taken from the registered static IP only",
                    value=request.remote,
                )
            if settings.rate_limits:
                limits = _limits(request, settings, is_order=is_order)
                if not limiter.allow(f"{caller} {is_order}", limits, clock.monotonic()):
                    raise ApiError(ErrorCode.RATE_LIMIT, "Too Many Request Sent")
        return await handler(request)

    return limit_calls


def _is_order_call(request: web.Request) -> bool:
    return request.method != "GET" and request.path.startswith(_ORDER_PATHS)


def _limits(request: web.Request, settings: SimulatorSettings, *, is_order: bool) -> RateLimits:
    is_manual_order = is_order and "X-Algo-Name" not in request.headers
    per_second = settings.order_calls_per_sec if is_manual_order else settings.calls_per_sec
    return RateLimits(per_second, settings.calls_per_minute, settings.calls_per_half_hour)
