"""A paper broker with the encoded entries of TICKS that drive it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.trading.paper.broker import PaperBroker
from services.trading.paper.results import BrokerResult, Expired, Lapsed, PaperFill, Triggered
from shared.contracts import messages
from shared.contracts.messages import FeedState
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)
from shared.contracts.subjects import CLOCK, candle_subject, depth_subject, quote_subject
from shared.market.exchange_calendar import Calendar
from tests.support.builders import KEY, MONDAY_10_00


@dataclass(frozen=True)
class Share:
    """The facts of an instrument that the paper broker uses."""

    segment: str = "NSE_EQ"
    tick: Decimal = Decimal("0.05")
    has_derivatives: bool = False


def terms(
    side: Side = Side.BUY,
    quantity: int = 100,
    price: str | None = None,
    trigger: str | None = None,
    *,
    validity: Validity = Validity.DAY,
    key: str = KEY,
) -> Terms:
    """The order type follows from the prices that are given."""
    if trigger is None:
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
    else:
        kind = OrderType.SL_M if price is None else OrderType.SL
    prices = Prices(
        quantity=quantity,
        order_type=kind,
        validity=validity,
        price=None if price is None else Decimal(price),
        trigger_price=None if trigger is None else Decimal(trigger),
    )
    return Terms(account=Account.PAPER, key=key, side=side, product=Product.INTRADAY, prices=prices)


def levels(text: str) -> messages.Levels:
    """``50@100.05 100@100.10`` as levels."""
    pairs = (part.split("@") for part in text.split())
    return [(float(price), int(quantity)) for quantity, price in pairs]


def told(results: Iterable[BrokerResult]) -> list[str]:
    """Results in short: ``o1 50@100.05``, ``o1 triggered 94.05``, ``o1 lapsed 40``."""
    lines = []
    for result in (found.result for found in results):
        match result:
            case PaperFill():
                lines.append(f"{result.order_id} {result.quantity}@{result.price}")
            case Triggered():
                lines.append(f"{result.order_id} triggered {result.limit}")
            case Lapsed():
                lines.append(f"{result.order_id} lapsed {result.quantity}")
            case Expired():
                lines.append(f"{result.order_id} expired {result.quantity}")
    return lines


class PaperMarket:
    """Each method but `place` sends one entry and tells what the broker did."""

    def __init__(
        self, *, start_ms: int = MONDAY_10_00, is_live: bool = True, share: Share | None = None
    ) -> None:
        self.broker = PaperBroker(Calendar())
        self.now_ms = start_ms
        self.epoch = 1
        self.volume = 1_000
        self.key = KEY
        self._share = share or Share()
        self._seq = 0
        self._position = 0
        self.results: list[BrokerResult] = []
        """Of the last entry."""
        self.clock(state=FeedState.LIVE if is_live else FeedState.STALE)

    def place(
        self,
        order_id: str = "o1",
        *,
        user_id: str = "u1",
        latency_ms: int = 0,
        protection: int = 1,
        **more: Any,
    ) -> None:
        """Place an order now."""
        self.broker.place(
            user_id, order_id, terms(key=self.key, **more), self._share,
            self.now_ms + latency_ms, Decimal(protection),
        )  # fmt: skip

    def send(self, subject: str, data: bytes) -> list[str]:
        """Any entry."""
        self._position += 1
        self.results = self.broker.on_entry(self._position, subject, data)
        return told(self.results)

    def clock(self, after_ms: int = 0, state: FeedState = FeedState.LIVE) -> list[str]:
        """A clock tick."""
        self.now_ms += after_ms
        tick = messages.ClockTick(
            ts=self.now_ms, feed_ts=self.now_ms, epoch=self.epoch, seq=self._seq, state=state
        )
        return self.send(CLOCK, messages.encode(tick))

    def quote(
        self,
        ltp: float = 100.0,
        *,
        bid: str = "",
        ask: str = "",
        ltq: int = 0,
        after_ms: int = 1_000,
        **fields: Any,
    ) -> list[str]:
        """A quote with the best prices only; `ltq` was traded since the last one."""
        self.now_ms += after_ms
        self._seq += 1
        self.volume += ltq
        best: dict[str, Any] = {}
        for name, side in (("bid", bid), ("ask", ask)):
            for price, quantity in levels(side):
                best |= {name: price, f"{name}_qty": quantity}
        defaults: dict[str, Any] = {
            "key": self.key, "epoch": self.epoch, "seq": self._seq, "ts": self.now_ms,
            "rt": self.now_ms * 1_000, "ltp": ltp, "ltt": self.now_ms, "ltq": ltq,
            "volume": self.volume,
        }  # fmt: skip
        quote = messages.Quote(**(defaults | best | fields))
        return self.send(quote_subject(quote.key), messages.encode(quote))

    def book(self, bids: str = "", asks: str = "", **fields: Any) -> list[str]:
        """The order book for the last quote."""
        defaults: dict[str, Any] = {
            "key": self.key, "epoch": self.epoch, "seq": self._seq, "ts": self.now_ms,
            "rt": self.now_ms * 1_000, "bids": levels(bids), "asks": levels(asks),
        }  # fmt: skip
        book = messages.Depth(**(defaults | fields))
        return self.send(depth_subject(book.key), messages.encode(book))

    def market(
        self, ltp: float = 100.0, *, bids: str = "", asks: str = "", ltq: int = 0, **fields: Any
    ) -> list[str]:
        """A quote, and then its order book."""
        bid, ask = bids.partition(" ")[0], asks.partition(" ")[0]
        return self.quote(ltp, bid=bid, ask=ask, ltq=ltq, **fields) + self.book(bids, asks)

    def candle(self, start_ms: int, low: float, high: float) -> list[str]:
        """A completed minute."""
        candle = messages.Candle(
            key=self.key, start=start_ms, open=high, high=high, low=low, close=low,
            epoch=self.epoch, ts=self.now_ms,
        )  # fmt: skip
        return self.send(candle_subject(candle.key), messages.encode(candle))
