"""The simulator's own calls about the market: instruments, clock, sent quotes, trades."""

from typing import Final

from aiohttp import web

from services.simulator.api.admin.answers import json_answer
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.market import Market
from services.simulator.settings import SimulatorSettings
from services.simulator.simulation.exchange_clock import ExchangeClock
from services.simulator.simulation.ledger import Ledger
from shared.errors import InvalidField

_PREFIX: Final = "/simulator/v1"
_MAX_TIME_MS: Final = 1 << 62


class MarketAdminRoutes:
    """GET calls that return the ground truth of the market."""

    def __init__(
        self,
        instruments: tuple[ListedInstrument, ...],
        market: Market,
        clock: ExchangeClock,
        ledger: Ledger,
        settings: SimulatorSettings,
    ) -> None:
        self._instruments = {instrument.key: instrument for instrument in instruments}
        self._market = market
        self._clock = clock
        self._ledger = ledger
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get(f"{_PREFIX}/instruments", self.instruments),
            web.get(f"{_PREFIX}/clock", self.clock),
            web.get(f"{_PREFIX}/sent", self.sent),
            web.get(f"{_PREFIX}/trades", self.trades),
        ]

    async def instruments(self, _: web.Request) -> web.Response:
        """Key, symbol and name of each instrument."""
        return json_answer(
            [{"key": i.key, "symbol": i.symbol, "name": i.name} for i in self._instruments.values()]
        )

    async def clock(self, _: web.Request) -> web.Response:
        """The clock's exchange time, the time that the market has reached (epoch ms), speed, seed.

        The market is behind the clock if the machine is too slow for the speed.
        """
        return json_answer(
            {
                "now_ms": self._clock.now_ms(),
                "market_ms": self._market.now_ms,
                "speed": self._settings.speed,
                "seed": self._settings.seed,
            }
        )

    async def sent(self, request: web.Request) -> web.Response:
        """The quotes in the frames sent with `from_ms` <= ts < `to_ms`. Raises InvalidField."""
        return json_answer(self._ledger.sent(self._key(request), *_range_ms(request)))

    async def trades(self, request: web.Request) -> web.Response:
        """The trades with `from_ms` <= time < `to_ms`. Raises InvalidField."""
        return json_answer(self._ledger.trades(self._key(request), *_range_ms(request)))

    def _key(self, request: web.Request) -> str:
        key = request.query.get("key", "")
        if key not in self._instruments:
            raise InvalidField(f"{key!r} is not an instrument of this market", field="key")
        return key


def _range_ms(request: web.Request) -> tuple[int, int]:
    return _time_ms(request, "from_ms", 0), _time_ms(request, "to_ms", _MAX_TIME_MS)


def _time_ms(request: web.Request, field: str, default: int) -> int:
    text = request.query.get(field)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidField(f"{field} must be a time in epoch milliseconds", field=field)
    return int(text)
