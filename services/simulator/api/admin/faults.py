"""The simulator's own calls that arm and disarm faults and invalidate tokens."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.simulator.access.tokens import TokenStore
from services.simulator.access.user_id import OptionalUserId
from services.simulator.fault_injection.fault_kinds import (
    FRAME_FAULTS,
    REQUEST_FAULTS,
    FaultKind,
    Stream,
)
from services.simulator.fault_injection.faults import Fault, Faults
from shared.errors import NotFound
from shared.web.problems import read_body

_PATH: Final = "/simulator/v1/faults"


class FaultRequest(BaseModel):
    """The body that arms a fault; the fields are those of `Fault`."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    path: Annotated[str, Field(pattern="^/")] = "/"
    method: Annotated[str, Field(pattern="^[A-Z]*$")] = ""
    stream: Stream = Stream.FEED
    user_id: OptionalUserId = ""
    times: Annotated[int, Field(ge=1)] | None = 1
    after: Annotated[int, Field(ge=0)] = 0
    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR
    error_code: Annotated[str, Field(pattern="^(UDAPI[0-9]{1,6})?$")] = ""
    message: Annotated[str, Field(max_length=500)] = ""
    is_executed: bool = False
    delay_secs: Annotated[float, Field(ge=0, le=60)] = 0.0
    code: Annotated[int, Field(ge=1000, le=4999)] = 1011

    @model_validator(mode="after")
    def _fields_belong_to_the_kind(self) -> Self:
        if self.kind not in REQUEST_FAULTS and (self.path != "/" or self.method):
            raise ValueError("path and method apply to faults of requests only")
        if self.kind not in FRAME_FAULTS and self.stream is not Stream.FEED:
            raise ValueError("stream applies to faults of messages only")
        return self


class TokensRequest(BaseModel):
    """The body that restores the configured token or invalidates tokens."""

    model_config = ConfigDict(extra="forbid")

    alive: bool
    user_id: OptionalUserId = ""
    """Whose tokens become invalid; empty means those of all users."""


class FaultAdminRoutes:
    """Calls to which faults never apply."""

    def __init__(self, faults: Faults, tokens: TokenStore) -> None:
        self._faults = faults
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.post(_PATH, self.arm),
            web.get(_PATH, self.list_armed),
            web.delete(_PATH, self.disarm_all),
            web.delete(_PATH + "/{number:[0-9]{1,18}}", self.disarm),
            web.post(_PATH + "/tokens", self.set_tokens),
        ]

    async def arm(self, request: web.Request) -> web.Response:
        """Arm a fault; the answer contains its number. Raises InvalidField."""
        body = await read_body(request, FaultRequest)
        number = self._faults.arm(Fault(**(body.model_dump() | {"status": int(body.status)})))
        return web.json_response({"number": number}, status=HTTPStatus.CREATED)

    async def list_armed(self, _: web.Request) -> web.Response:
        """The armed faults, oldest first."""
        armed = self._faults.armed()
        return web.json_response([{"number": n, **asdict(fault)} for n, fault in armed.items()])

    async def disarm(self, request: web.Request) -> web.Response:
        """Disarm one fault. Raises NotFound if it is not armed."""
        if not self._faults.disarm(int(request.match_info["number"])):
            raise NotFound("no fault with this number is armed")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def disarm_all(self, _: web.Request) -> web.Response:
        """Disarm all faults."""
        self._faults.disarm_all()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def set_tokens(self, request: web.Request) -> web.Response:
        """Invalidate tokens, as Upstox does at 03:30 IST, or restore the configured one."""
        body = await read_body(request, TokensRequest)
        if body.alive:
            self._tokens.restore_configured()
        else:
            self._tokens.revoke_all(body.user_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)
