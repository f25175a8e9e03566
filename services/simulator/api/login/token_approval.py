"""Access tokens that the user approves on a phone and the simulator posts to the application."""

import secrets
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from services.simulator.access.application import Application
from services.simulator.access.tokens import (
    TokenKind,
    TokenStore,
    next_expiry_ms,
)
from services.simulator.access.user_id import DEFAULT_USER, UserId
from services.simulator.api.envelope import success
from services.simulator.callbacks.notifier import Notifier
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.simulation.exchange_clock import ExchangeClock
from shared.errors import NotFound
from shared.web.problems import read_body

MAX_PENDING: Final = 100
_ADMIN_PATH: Final = "/simulator/v1/login/requests"


class ApprovalBody(BaseModel):
    """The body of the application's request."""

    client_secret: str


class DecisionBody(BaseModel):
    """A user's decision on a request."""

    approve: bool
    user_id: UserId = DEFAULT_USER


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request without a decision; times are exchange time, epoch ms."""

    request_id: str
    client_id: str
    requested_ms: int
    expires_ms: int


class TokenApprovalRoutes:
    """The requests that wait for a decision; at most 100, the oldest are dropped."""

    def __init__(
        self, application: Application, tokens: TokenStore, clock: ExchangeClock, notifier: Notifier
    ) -> None:
        self._application = application
        self._tokens = tokens
        self._clock = clock
        self._notifier = notifier
        self._pending: dict[str, PendingRequest] = {}

    def routes(self) -> list[web.RouteDef]:
        """Upstox's call, and the simulator's own calls that take the place of the phone."""
        return [
            web.post("/v3/login/auth/token/request/{client_id}", self.request_token),
            web.get(_ADMIN_PATH, self.list_pending),
            web.post(_ADMIN_PATH + "/{request_id}", self.decide),
        ]

    async def request_token(self, request: web.Request) -> web.Response:
        """Create a request for the user's decision. Raises ApiError."""
        body = await read_body(request, ApprovalBody)
        client_id = request.match_info["client_id"]
        self._application.check_credentials(client_id, body.client_secret)
        if not self._notifier.url:
            raise ApiError(ErrorCode.INVALID_INPUT, "The app has no notifier URL")
        if len(self._pending) >= MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        now_ms = self._clock.now_ms()
        pending = PendingRequest(secrets.token_hex(8), client_id, now_ms, next_expiry_ms(now_ms))
        self._pending[pending.request_id] = pending
        return success(
            {
                "authorization_expiry": str(pending.expires_ms),
                "notifier_url": self._notifier.url,
            }
        )

    async def list_pending(self, _: web.Request) -> web.Response:
        """The requests that wait for a decision, oldest first."""
        now_ms = self._clock.now_ms()
        return web.json_response(
            [
                {
                    "request_id": pending.request_id,
                    "client_id": pending.client_id,
                    "asked_ms": pending.requested_ms,
                    "expires_ms": pending.expires_ms,
                }
                for pending in self._pending.values()
                if now_ms < pending.expires_ms
            ]
        )

    async def decide(self, request: web.Request) -> web.Response:
        """Approve a request, which posts a token to the application, or reject it.

        The answer contains the application's HTTP status, or null if it did not answer.
        Raises NotFound if there is no such request.
        """
        decision = await read_body(request, DecisionBody)
        pending = self._pending.pop(request.match_info["request_id"], None)
        now_ms = self._clock.now_ms()
        if pending is None or now_ms >= pending.expires_ms:
            raise NotFound("no request with this id is pending")
        if not decision.approve:
            return web.json_response({"delivered": False, "status": None})
        expires_ms = next_expiry_ms(now_ms)
        status = await self._notifier.post(
            {
                "client_id": pending.client_id,
                "user_id": decision.user_id,
                "access_token": self._tokens.issue(decision.user_id, TokenKind.FULL, expires_ms),
                "token_type": "Bearer",
                "expires_at": str(expires_ms),
                "issued_at": str(now_ms),
                "message_type": "access_token",
            }
        )
        return web.json_response({"delivered": status is not None, "status": status})
