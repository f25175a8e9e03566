"""Orders and trades of a derivative, about the price that its underlying gives it."""

from typing import Final

from services.simulator.market.fair_price import future_paise, option_value
from services.simulator.market.flows import StockFlow, Trade
from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.market.state import InstrumentState

# Of trades: the shares that open positions on both sides, and that close them.
_OPENING_SHARE: Final = 0.4
_CLOSING_SHARE: Final = 0.3
_MOST_LOTS: Final = 50_000


class DerivativeFlow(StockFlow):
    """A stock's flow, but that its book follows another instrument at every event.

    Without an underlying (a commodity's nearest future) it wanders by itself.
    """

    def __init__(
        self,
        instrument: ListedInstrument,
        underlying: InstrumentState | None,
        *,
        seed: int,
        trades_per_sec: float,
        start_ms: int,
    ) -> None:
        super().__init__(instrument, seed=seed, trades_per_sec=trades_per_sec)
        self._underlying = underlying
        self.state.oi = instrument.lot_size * int(_MOST_LOTS * self._random())
        self._follow(start_ms)

    def act(self, time_ms: int) -> Trade | None:
        """As a stock; a trade opens positions, closes some, or hands them on."""
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
            told = option_value(
                spot_paise,
                instrument.strike_paise,
                left_ms,
                instrument.tick_paise,
                call=instrument.kind is Kind.CALL,
            )
            fair_paise = told.price_paise
            self.state.greeks, self.state.iv = told.greeks, told.iv
        self._base_paise = fair_paise
        self._book.best_bid_paise = fair_paise - instrument.tick_paise
