"""Reads of market data over HTTP: bars, gaps, option chains, last quotes and the state."""

from collections.abc import Sequence

from tradedad_client import history, market_requests
from tradedad_client.bar_list import BarList
from tradedad_client.entered import entered
from tradedad_client.errors import NotFound
from tradedad_client.instruments import Instruments
from tradedad_client.market_messages import HistoryGap, LastQuotes, OptionChain, SystemStatus
from tradedad_client.names import checked
from tradedad_client.rest import RestClient
from tradedad_client.times import Moment


class MarketReads:
    """The part of `Client` that reads market data. It does not depend on the stream."""

    _rest: RestClient | None = None
    _instruments: Instruments | None = None

    @property
    def instruments(self) -> Instruments:
        """Search and look-up of instruments."""
        return entered(self._instruments)

    async def bars(
        self,
        instrument: str,
        interval: str,
        start: Moment,
        end: Moment | None = None,
        *,
        timeout_secs: float = 300.0,
    ) -> BarList:
        """Return the bars that start from `start` to before `end`, or until now.

        `interval` is 1m, 3m, 5m, 15m, 30m, 1h or 1d. The result is a list with `to_pandas` and
        `to_polars`. Raises UnknownInstrument, or Unavailable rather than return a part of the
        bars.
        """
        key = await self.instruments.key(instrument)
        return await history.read_bars(entered(self._rest), key, interval, start, end, timeout_secs)

    async def gaps(
        self,
        instrument: str,
        start: Moment,
        end: Moment | None = None,
        *,
        timeout_secs: float = 300.0,
    ) -> list[HistoryGap]:
        """Return the periods in which trades may have been missed, the oldest first.

        Raises UnknownInstrument, or Unavailable rather than return a part of them.
        """
        key = await self.instruments.key(instrument)
        return await history.read_gaps(entered(self._rest), key, start, end, timeout_secs)

    async def option_chain(self, underlying: str, expiry: str | None = None) -> OptionChain:
        """Return all options that expire on a day, ``YYYY-MM-DD``, by default the nearest.

        Their prices are known while somebody follows the chain: see `chain`. Raises
        UnknownInstrument, or NotFound if there are no such options on the instrument.
        """
        key = await self.instruments.key(underlying)
        try:
            return await entered(self._rest).send(
                market_requests.option_chain(key, expiry), OptionChain
            )
        except NotFound as missing:
            if missing.field == "underlying":
                await self.instruments.get(key)  # tells an unknown key from one without options
            raise

    async def last_quotes(self, instruments: Sequence[str]) -> LastQuotes:
        """Return the last known quotes, without following the instruments: see `quotes`."""
        keys = [await self.instruments.key(name) for name in checked(instruments)]
        return await entered(self._rest).send(market_requests.quotes(keys), LastQuotes)

    async def system_status(self) -> SystemStatus:
        """Return the state of the feed, of the market's segments and of the gateway."""
        return await entered(self._rest).send(market_requests.status(), SystemStatus)
