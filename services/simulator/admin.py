"""The simulator's own calls: its instruments, its clock, its ledger. For tests and tools."""

from typing import Final

import msgspec
from aiohttp import web

from services.simulator.exchange_clock import ExchangeClock
from services.simulator.ledger import Ledger
from services.simulator.market.instruments import ListedInstrument
from services.simulator.settings import SimulatorSettings
from shared.errors import InvalidField

_PREFIX: Final = "/simulator/v1"
_END_OF_TIME_MS: Final = 1 << 62


class Admin:
    """What the simulator knows and Upstox would not tell."""

    def __init__(
        self,
        instruments: tuple[ListedInstrument, ...],
        clock: ExchangeClock,
        ledger: Ledger,
        settings: SimulatorSettings,
    ) -> None:
        self._instruments = {instrument.key: instrument for instrument in instruments}
        self._clock = clock
        self._ledger = ledger
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """All calls, all GET."""
        return [
            web.get(f"{_PREFIX}/instruments", self.instruments),
            web.get(f"{_PREFIX}/clock", self.clock),
            web.get(f"{_PREFIX}/sent", self.sent),
            web.get(f"{_PREFIX}/trades", self.trades),
        ]

    async def instruments(self, _: web.Request) -> web.Response:
        """Key, symbol and name of each."""
        return _json(
            [{"key": i.key, "symbol": i.symbol, "name": i.name} for i in self._instruments.values()]
        )

    async def clock(self, _: web.Request) -> web.Response:
        """Exchange time now (epoch ms), its speed, and the market's seed."""
        return _json(
            {
                "now_ms": self._clock.now_ms(),
                "speed": self._settings.speed,
                "seed": self._settings.seed,
            }
        )

    async def sent(self, request: web.Request) -> web.Response:
        """Quotes that frames told; `from_ms` <= ts < `to_ms`."""
        return _json(self._ledger.sent(self._key(request), *_range_ms(request)))

    async def trades(self, request: web.Request) -> web.Response:
        """Trades that happened; `from_ms` <= time < `to_ms`."""
        return _json(self._ledger.trades(self._key(request), *_range_ms(request)))

    def _key(self, request: web.Request) -> str:
        key = request.query.get("key", "")
        if key not in self._instruments:
            raise InvalidField(f"{key!r} is not an instrument of this market", field="key")
        return key


def _range_ms(request: web.Request) -> tuple[int, int]:
    return _time_ms(request, "from_ms", 0), _time_ms(request, "to_ms", _END_OF_TIME_MS)


def _time_ms(request: web.Request, field: str, default: int) -> int:
    text = request.query.get(field)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidField(f"{field} is a time in epoch milliseconds", field=field)
    return int(text)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
