"""Tokens that the user approves on their phone: asked for here, posted to the application."""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from services.simulator.envelope import INVALID_INPUT, refuse, success
from services.simulator.exchange_clock import ExchangeClock
from services.simulator.login.application import Application
from services.simulator.login.notifier import Notifier
from services.simulator.tokens import DEFAULT_USER, Kind, Tokens, next_death_ms
from shared.errors import NotFound
from shared.web.problems import read_body

MOST_WAITING: Final = 100
_ADMIN_PATH: Final = "/simulator/v1/login/requests"


class TokenRequest(BaseModel):
    """The body of an application's request."""

    client_secret: str


class Decision(BaseModel):
    """What the user does with a request."""

    approve: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that the user has not decided on; times are exchange time, epoch ms."""

    request_id: str
    client_id: str
    asked_ms: int
    expires_ms: int


class Approvals:
    """Requests that wait for the user; at most 100, the oldest are forgotten."""

    def __init__(
        self, application: Application, tokens: Tokens, clock: ExchangeClock, notifier: Notifier
    ) -> None:
        self._application = application
        self._tokens = tokens
        self._clock = clock
        self._notifier = notifier
        self._waiting: dict[str, Waiting] = {}

    def routes(self) -> list[web.RouteDef]:
        """Upstox's call, and ours that stand for the user's phone."""
        return [
            web.post("/v3/login/auth/token/request/{client_id}", self.ask),
            web.get(_ADMIN_PATH, self.list_waiting),
            web.post(_ADMIN_PATH + "/{request_id}", self.decide),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """Put the request before the user. Raises Refusal."""
        body = await read_body(request, TokenRequest)
        client_id = request.match_info["client_id"]
        self._application.check_credentials(client_id, body.client_secret)
        if not self._notifier.url:
            raise refuse(HTTPStatus.BAD_REQUEST, INVALID_INPUT, "The app has no notifier URL")
        if len(self._waiting) >= MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        now_ms = self._clock.now_ms()
        waiting = Waiting(secrets.token_hex(8), client_id, now_ms, next_death_ms(now_ms))
        self._waiting[waiting.request_id] = waiting
        return success(
            {
                "authorization_expiry": str(waiting.expires_ms),
                "notifier_url": self._notifier.url,
            }
        )

    async def list_waiting(self, _: web.Request) -> web.Response:
        """The requests that wait, oldest first."""
        now_ms = self._clock.now_ms()
        return web.json_response(
            [
                {
                    "request_id": waiting.request_id,
                    "client_id": waiting.client_id,
                    "asked_ms": waiting.asked_ms,
                    "expires_ms": waiting.expires_ms,
                }
                for waiting in self._waiting.values()
                if now_ms < waiting.expires_ms
            ]
        )

    async def decide(self, request: web.Request) -> web.Response:
        """Approve a request, which posts its token; or reject it, and nothing happens.

        Raises NotFound if the request does not wait (any more).
        """
        decision = await read_body(request, Decision)
        waiting = self._waiting.pop(request.match_info["request_id"], None)
        now_ms = self._clock.now_ms()
        if waiting is None or now_ms >= waiting.expires_ms:
            raise NotFound("no such request waits")
        if not decision.approve:
            return web.json_response({"delivered": False, "status": None})
        expires_ms = next_death_ms(now_ms)
        status = await self._notifier.post(
            {
                "client_id": waiting.client_id,
                "user_id": DEFAULT_USER,
                "access_token": self._tokens.issue(DEFAULT_USER, Kind.FULL, expires_ms),
                "token_type": "Bearer",
                "expires_at": str(expires_ms),
                "issued_at": str(now_ms),
                "message_type": "access_token",
            }
        )
        return web.json_response({"delivered": status is not None, "status": status})
