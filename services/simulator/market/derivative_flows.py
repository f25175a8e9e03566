"""The order flow of a derivative, around the fair price that its underlying determines."""

from typing import Final

from services.simulator.market.fair_price import future_paise, option_value
from services.simulator.market.flows import StockFlow, Trade
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.market.state import SimulatedState

# Shares of the trades in which both sides open a position, and in which both sides close one.
_OPENING_SHARE: Final = 0.4
_CLOSING_SHARE: Final = 0.3
_MAX_INITIAL_LOTS: Final = 50_000


class DerivativeFlow(StockFlow):
    """A stock's order flow whose book follows another instrument at every event.

    Without an underlying (the nearest future of a commodity) the price is a random walk.
    """

    def __init__(
        self,
        instrument: ListedInstrument,
        underlying: SimulatedState | None,
        *,
        seed: int,
        trades_per_sec: float,
        start_ms: int,
    ) -> None:
        super().__init__(instrument, seed=seed, trades_per_sec=trades_per_sec)
        self._underlying = underlying
        self.state.oi = instrument.lot_size * int(_MAX_INITIAL_LOTS * self._random())
        self._follow(start_ms)

    def act(self, time_ms: int) -> Trade | None:
        """As for a stock; a trade also raises, lowers or keeps the open interest."""
        self._follow(time_ms)
        trade = super().act(time_ms)
        if trade is not None:
            draw = self._random()
            if draw < _OPENING_SHARE:
                self.state.oi += trade.quantity
            elif draw < _OPENING_SHARE + _CLOSING_SHARE:
                self.state.oi = max(0, self.state.oi - trade.quantity)
        return trade

    def _follow(self, time_ms: int) -> None:
        """Move the book to the fair price."""
        if self._underlying is None:
            return
        instrument = self.state.instrument
        spot_paise = self._underlying.ltp_paise
        left_ms = (instrument.expiry_ms or time_ms) - (
            self._underlying.instrument.expiry_ms or time_ms
        )
        if instrument.strike_paise is None:
            fair_paise = future_paise(spot_paise, left_ms, instrument.tick_paise)
        else:
            option = option_value(
                spot_paise,
                instrument.strike_paise,
                left_ms,
                instrument.tick_paise,
                call=instrument.instrument_type is InstrumentType.CALL,
            )
            fair_paise = option.price_paise
            self.state.greeks, self.state.iv = option.greeks, option.iv
        self._base_paise = fair_paise
        self._book.best_bid_paise = fair_paise - instrument.tick_paise
