"""The simulator's own calls that halt and resume segments and single instruments."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.simulator.api.admin.answers import json_answer
from services.simulator.feed.market_info import SEGMENTS
from services.simulator.market.market import Market
from shared.errors import InvalidField, NotFound
from shared.web.problems import read_body

_PATH: Final = "/simulator/v1/halts"
_MAX_SECS: Final = 86_400.0


class HaltBody(BaseModel):
    """A segment or an instrument key; the halt ends by itself after `secs` of exchange time."""

    model_config = ConfigDict(extra="forbid")

    target: str
    secs: Annotated[float, Field(gt=0, le=_MAX_SECS)] | None = None


class HaltRoutes:
    """Calls without a token; faults of requests never apply to them."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.post(_PATH, self.halt),
            web.get(_PATH, self.in_force),
            web.delete(_PATH + "/{target}", self.resume),
        ]

    async def halt(self, request: web.Request) -> web.Response:
        """Halt from now on; a second halt replaces the first. Raises InvalidField."""
        body = await read_body(request, HaltBody)
        if body.target not in SEGMENTS and body.target not in self._market.states:
            detail = f"{body.target!r} is neither a segment nor an instrument of this market"
            raise InvalidField(detail, field="target")
        halt_ms = None if body.secs is None else round(body.secs * 1_000)
        halt = self._market.halt(body.target, halt_ms)
        return json_answer(asdict(halt), status=HTTPStatus.CREATED)

    async def in_force(self, _: web.Request) -> web.Response:
        """The present halts, oldest first, with times in ms."""
        halts = self._market.calendar.halts.in_force(self._market.now_ms)
        return json_answer([asdict(halt) for halt in halts])

    async def resume(self, request: web.Request) -> web.Response:
        """End a halt. Raises NotFound if there is none."""
        target = request.match_info["target"]
        if not self._market.resume(target):
            raise NotFound(f"{target!r} is not halted")
        return web.Response(status=HTTPStatus.NO_CONTENT)
