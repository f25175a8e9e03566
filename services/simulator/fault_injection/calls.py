"""The calls that arm and disarm faults, and that let tokens die."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.simulator.fault_injection.faults import OF_REQUESTS, Fault, FaultKind, Faults
from services.simulator.tokens import Tokens
from shared.errors import NotFound
from shared.web.problems import read_body

_PATH: Final = "/simulator/v1/faults"


class FaultRequest(BaseModel):
    """A fault as a call arms it; what it leaves out is as in `Fault`."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    path: Annotated[str, Field(pattern="^/")] = "/"
    method: Annotated[str, Field(pattern="^[A-Z]*$")] = ""
    times: Annotated[int, Field(ge=1)] | None = 1
    after: Annotated[int, Field(ge=0)] = 0
    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR
    delay_secs: Annotated[float, Field(ge=0, le=60)] = 0.0
    code: Annotated[int, Field(ge=1000, le=4999)] = 1011

    @model_validator(mode="after")
    def _only_requests_have_a_path(self) -> Self:
        if self.kind not in OF_REQUESTS and (self.path != "/" or self.method):
            raise ValueError("path and method are of requests only")
        return self


class TokensRequest(BaseModel):
    """Whether the token of the settings is to be good, or none at all."""

    alive: bool


class FaultCalls:
    """Commands for tests and tools; none of them can be struck by a fault."""

    def __init__(self, faults: Faults, tokens: Tokens, configured_token: str) -> None:
        self._faults = faults
        self._tokens = tokens
        self._configured_token = configured_token

    def routes(self) -> list[web.RouteDef]:
        """Arm, list, disarm; and the tokens."""
        return [
            web.post(_PATH, self.arm),
            web.get(_PATH, self.list_armed),
            web.delete(_PATH, self.disarm_all),
            web.delete(_PATH + "/{number:[0-9]{1,18}}", self.disarm),
            web.post(_PATH + "/tokens", self.set_tokens),
        ]

    async def arm(self, request: web.Request) -> web.Response:
        """Arm a fault; the answer has its number. Raises InvalidField."""
        order = await read_body(request, FaultRequest)
        number = self._faults.arm(Fault(**(order.model_dump() | {"status": int(order.status)})))
        return web.json_response({"number": number}, status=HTTPStatus.CREATED)

    async def list_armed(self, _: web.Request) -> web.Response:
        """Those that are left, oldest first."""
        armed = self._faults.armed()
        return web.json_response([{"number": n, **asdict(fault)} for n, fault in armed.items()])

    async def disarm(self, request: web.Request) -> web.Response:
        """Disarm one. Raises NotFound if it is not armed (any more)."""
        if not self._faults.disarm(int(request.match_info["number"])):
            raise NotFound("no such fault is armed")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def disarm_all(self, _: web.Request) -> web.Response:
        """Disarm all."""
        self._faults.disarm_all()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def set_tokens(self, request: web.Request) -> web.Response:
        """Let all tokens die now, as at 03:30 IST; or the one of the settings live again."""
        if (await read_body(request, TokensRequest)).alive:
            self._tokens.revive(self._configured_token)
        else:
            self._tokens.kill_all()
        return web.Response(status=HTTPStatus.NO_CONTENT)
