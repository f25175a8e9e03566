"""Trading accounts: the cash, positions and holdings of each user."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.simulator.account.holdings import Holding, initial_holdings, settle
from services.simulator.account.margin import Margin, required_margin
from services.simulator.account.positions import Position, Positions
from services.simulator.market.instruments import InstrumentType
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Fill, Order, OrderRequest, Product, Side


@dataclass(frozen=True, slots=True)
class Funds:
    """The funds at one moment, in paise; opening + sale - loss = used + available."""

    opening: int
    stock_sale: int
    """Proceeds of holdings sold today."""
    used: Margin
    realised: int
    """Today's realised profit. A loss counts at once, a profit from the next day on."""
    unrealised: int

    @property
    def loss(self) -> int:
        """Today's realised loss, as a positive number."""
        return max(0, -self.realised)

    @property
    def unsettled_profit(self) -> int:
        """Today's realised profit; zero if it is a loss."""
        return max(0, self.realised)

    @property
    def available(self) -> int:
        """The funds that new orders may use."""
        return self.opening + self.stock_sale - self.loss - self.used.total


class TradingAccount:
    """The account of one user; amounts in paise."""

    def __init__(self, states: Mapping[str, SimulatedState], opening_paise: int) -> None:
        self._states = states
        self.cash_paise = opening_paise
        """Cash at the beginning of the day."""
        self.positions = Positions()
        self.holdings: dict[str, Holding] = initial_holdings(states)

    def record(self, fill: Fill) -> None:
        """Update the position, and for a delivery sale the used quantity of the holding."""
        instrument = self._states[fill.order.request.instrument_key].instrument
        position = self.positions.record(fill, instrument.multiplier)
        self._use_holding(position)

    def funds(self, orders: Iterable[Order]) -> Funds:
        """The present funds; `orders` are the user's pending orders, which hold margin too."""
        used, sale, unrealised = Margin(), 0, 0
        for position in self.positions.by_key.values():
            unrealised += position.unrealised_paise(self._ltp_paise(position.instrument_key))
            if self._is_delivery_sale(position):
                sale += position.open_paise
            elif position.quantity:
                used += self._position_margin(position)
        for order in orders:
            used += self._order_margin(order.request, order.pending_quantity)
        return Funds(self.cash_paise, sale, used, self.positions.realised_paise(), unrealised)

    def rejection(self, request: OrderRequest, others: Iterable[Order]) -> str | None:
        """Why the broker rejects this order, or None; `others` are the user's pending orders."""
        others = list(others)
        if self._is_share(request.instrument_key) and _is_delivery_sell(request):
            pending = sum(
                other.pending_quantity
                for other in others
                if other.request.side is Side.SELL
                and other.request.instrument_key == request.instrument_key
                and other.request.product is request.product
            )
            if request.quantity + pending > self._deliverable_quantity(request):
                return "There are not enough holdings to sell"
        required = self._order_margin(request, request.quantity).total
        available = self.funds(others).available
        if required > max(0, available):  # an order without margin may always close a position
            return f"Insufficient funds: required {required / 100:.2f}, available {available / 100:.2f}"
        return None

    def convert(
        self, position: Position, product: Product, side: Side, quantity: int, available: int
    ) -> bool:
        """Move part of an open position to another product.

        `available` is the amount of available funds. Returns False if it does not suffice.
        """
        instrument = self._states[position.instrument_key].instrument
        price_paise = position.open_paise // (abs(position.quantity) * position.multiplier)
        before, after = (
            required_margin(instrument, each, side, quantity, price_paise).total
            for each in (position.product, product)
        )
        if after - before > available:
            return False
        self.positions.convert(position, product, side, quantity)
        for each in (position, self.positions.by_key[position.instrument_key, product]):
            self._use_holding(each)
        return True

    def roll_day(self) -> None:
        """Settle the day.

        Delivery positions in shares become holdings or cash, intraday positions are closed at
        the last price, all other positions are carried overnight.
        """
        bought = []
        carried = Positions()
        for position in self.positions.by_key.values():
            ltp_paise = self._ltp_paise(position.instrument_key)
            self.cash_paise += position.realised_paise
            if not position.product.is_delivery:
                self.cash_paise += position.unrealised_paise(ltp_paise)
            elif not self._is_share(position.instrument_key):
                _carry(position, carried)
            elif position.quantity > 0:
                bought.append((position.instrument_key, position.quantity, position.open_paise))
                self.cash_paise -= position.open_paise
            else:
                self.cash_paise += position.open_paise
        settle(self.holdings, bought)
        self.positions = carried

    def _deliverable_quantity(self, request: OrderRequest) -> int:
        holding = self.holdings.get(request.instrument_key)
        held = holding.quantity + holding.t1_quantity if holding is not None else 0
        return held + self.positions.quantity(request.instrument_key, request.product)

    def _is_delivery_sale(self, position: Position) -> bool:
        is_sold = position.product.is_delivery and position.quantity < 0
        return is_sold and self._is_share(position.instrument_key)

    def _use_holding(self, position: Position) -> None:
        holding = self.holdings.get(position.instrument_key)
        if holding is not None and position.product.is_delivery:
            holding.used_quantity = max(0, -position.quantity)

    def _position_margin(self, position: Position) -> Margin:
        instrument = self._states[position.instrument_key].instrument
        side = Side.BUY if position.quantity > 0 else Side.SELL
        quantity = abs(position.quantity)
        price_paise = position.open_paise // (quantity * position.multiplier)
        return required_margin(instrument, position.product, side, quantity, price_paise)

    def _order_margin(self, request: OrderRequest, quantity: int) -> Margin:
        """Margin of the quantity that does not close an opposite position."""
        if self._is_share(request.instrument_key) and _is_delivery_sell(request):
            return Margin()  # covered by the shares themselves
        held = self.positions.quantity(request.instrument_key, request.product)
        opening = max(0, quantity - max(0, -request.side.sign * held))
        price_paise = request.price_paise or request.trigger_paise
        price_paise = price_paise or self._ltp_paise(request.instrument_key)
        instrument = self._states[request.instrument_key].instrument
        return required_margin(instrument, request.product, request.side, opening, price_paise)

    def _is_share(self, key: str) -> bool:
        return self._states[key].instrument.instrument_type is InstrumentType.EQUITY

    def _ltp_paise(self, key: str) -> int:
        return self._states[key].ltp_paise


class TradingAccounts:
    """The accounts of all users, created on first use; the order manager's risk checks."""

    def __init__(self, states: Mapping[str, SimulatedState], *, opening_paise: int) -> None:
        self._states = states
        self._opening_paise = opening_paise
        self._accounts: dict[str, TradingAccount] = {}
        self._killed_segments: dict[str, set[str]] = {}

    def of(self, user_id: str) -> TradingAccount:
        """The user's account."""
        if user_id not in self._accounts:
            self._accounts[user_id] = TradingAccount(self._states, self._opening_paise)
        return self._accounts[user_id]

    def killed_segments(self, user_id: str) -> set[str]:
        """Segments in which the user's kill switch is on; callers may change the set."""
        return self._killed_segments.setdefault(user_id, set())

    def rejection(self, user_id: str, request: OrderRequest, others: Iterable[Order]) -> str | None:
        """Why the broker rejects this order, or None; `others` are the user's pending orders."""
        segment = self._states[request.instrument_key].instrument.segment
        if segment in self.killed_segments(user_id):
            return "The kill switch of this segment is on"
        return self.of(user_id).rejection(request, others)

    def record(self, fill: Fill) -> None:
        """Update the account of the fill's user."""
        self.of(fill.order.user_id).record(fill)

    def roll_day(self) -> None:
        """Settle the day of every account."""
        for account in self._accounts.values():
            account.roll_day()


def _is_delivery_sell(request: OrderRequest) -> bool:
    return request.product.is_delivery and request.side is Side.SELL


def _carry(position: Position, carried: Positions) -> None:
    if position.quantity:
        overnight = carried.of(position.instrument_key, position.product, position.multiplier)
        overnight.overnight_quantity = position.quantity
        sign = 1 if position.quantity > 0 else -1
        overnight.overnight_paise = sign * position.open_paise
