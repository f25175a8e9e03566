"""One user's account: its cash, beside what fills have made of positions and holdings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.simulator.account.holdings import Holding, seeded, settle
from services.simulator.account.margin import Margin, margin
from services.simulator.account.positions import Position, Positions
from services.simulator.market.instruments import Kind
from services.simulator.market.state import InstrumentState
from services.simulator.orders.order import Fill, Order, OrderRequest, Product, Side


@dataclass(frozen=True, slots=True)
class Funds:
    """The cash of one moment, in paise; opening + sale - loss = used + available."""

    opening: int
    stock_sale: int
    """Proceeds of holdings sold today."""
    used: Margin
    realised: int
    """Today's profit so far; a loss is taken at once, a profit is free tomorrow."""
    unrealised: int

    @property
    def loss(self) -> int:
        """Today's realised loss, as a positive number."""
        return max(0, -self.realised)

    @property
    def unsettled_profit(self) -> int:
        """Today's realised profit."""
        return max(0, self.realised)

    @property
    def available(self) -> int:
        """What new orders may use."""
        return self.opening + self.stock_sale - self.loss - self.used.total


class Account:
    """Money in paise."""

    def __init__(self, states: Mapping[str, InstrumentState], opening_paise: int) -> None:
        self._states = states
        self.cash_paise = opening_paise
        """As the day began."""
        self.positions = Positions()
        self.holdings: dict[str, Holding] = seeded(states)

    def record(self, fill: Fill) -> None:
        """A fill changes a position, and a delivery sale uses up a holding."""
        instrument = self._states[fill.order.request.instrument_key].instrument
        position = self.positions.record(fill, instrument.multiplier)
        self._use_holding(position)

    def funds(self, orders: Iterable[Order]) -> Funds:
        """With `orders` the user's waiting ones, which hold margin as well."""
        used, sale, unrealised = Margin(), 0, 0
        for position in self.positions.by_key.values():
            unrealised += position.unrealised_paise(self._ltp(position.instrument_key))
            if self._is_delivery_sale(position):
                sale += position.open_paise
            elif position.quantity:
                used += self._position_margin(position)
        for order in orders:
            used += self._order_margin(order.request, order.pending_quantity)
        return Funds(self.cash_paise, sale, used, self.positions.realised_paise(), unrealised)

    def objection(self, request: OrderRequest, others: Iterable[Order]) -> str | None:
        """Why the broker would reject this order, if it would."""
        others = list(others)
        instrument = self._states[request.instrument_key].instrument
        is_share = instrument.kind is Kind.EQUITY
        if is_share and request.product.is_delivery and request.side is Side.SELL:
            pending = sum(
                other.pending_quantity
                for other in others
                if other.request.side is Side.SELL
                and other.request.instrument_key == request.instrument_key
                and other.request.product is request.product
            )
            if request.quantity + pending > self._deliverable(request):
                return "There are not enough holdings to sell"
        needed = self._order_margin(request, request.quantity).total
        available = self.funds(others).available
        if needed > max(0, available):  # what asks for nothing may always close
            return (
                f"Insufficient funds: required {needed / 100:.2f}, available {available / 100:.2f}"
            )
        return None

    def convert(
        self, position: Position, product: Product, side: Side, quantity: int, available: int
    ) -> bool:
        """Move a part of an open position to another product; False if funds do not suffice."""
        instrument = self._states[position.instrument_key].instrument
        price_paise = position.open_paise // (abs(position.quantity) * position.multiplier)
        before, after = (
            margin(instrument, each, side, quantity, price_paise).total
            for each in (position.product, product)
        )
        if after - before > available:
            return False
        self.positions.convert(position, product, side, quantity)
        for each in (position, self.positions.by_key[position.instrument_key, product]):
            self._use_holding(each)
        return True

    def roll_day(self) -> None:
        """End of the day: shares are delivered, intraday is squared off, the rest is carried."""
        bought = []
        carried = Positions()
        for position in self.positions.by_key.values():
            is_share = self._states[position.instrument_key].instrument.kind is Kind.EQUITY
            ltp_paise = self._ltp(position.instrument_key)
            self.cash_paise += position.realised_paise
            if not position.product.is_delivery:
                self.cash_paise += position.unrealised_paise(ltp_paise)
            elif not is_share:
                _carry(position, carried)
            elif position.quantity > 0:
                bought.append((position.instrument_key, position.quantity, position.open_paise))
                self.cash_paise -= position.open_paise
            else:
                self.cash_paise += position.open_paise
        settle(self.holdings, bought)
        self.positions = carried

    def _deliverable(self, request: OrderRequest) -> int:
        holding = self.holdings.get(request.instrument_key)
        held = holding.quantity + holding.t1_quantity if holding is not None else 0
        return held + self.positions.quantity(request.instrument_key, request.product)

    def _is_delivery_sale(self, position: Position) -> bool:
        is_share = self._states[position.instrument_key].instrument.kind is Kind.EQUITY
        return is_share and position.product.is_delivery and position.quantity < 0

    def _use_holding(self, position: Position) -> None:
        holding = self.holdings.get(position.instrument_key)
        if holding is not None and position.product.is_delivery:
            holding.used_quantity = max(0, -position.quantity)

    def _position_margin(self, position: Position) -> Margin:
        instrument = self._states[position.instrument_key].instrument
        side = Side.BUY if position.quantity > 0 else Side.SELL
        quantity = abs(position.quantity)
        return margin(
            instrument,
            position.product,
            side,
            quantity,
            position.open_paise // (quantity * position.multiplier),
        )

    def _order_margin(self, request: OrderRequest, quantity: int) -> Margin:
        """Only what goes beyond an opposite position asks for margin."""
        instrument = self._states[request.instrument_key].instrument
        held = self.positions.quantity(request.instrument_key, request.product)
        opening = quantity - max(0, -request.side.sign * held)
        is_share = instrument.kind is Kind.EQUITY
        if is_share and request.product.is_delivery and request.side is Side.SELL:
            return Margin()  # the shares themselves stand for it
        price_paise = request.price_paise or request.trigger_paise
        price_paise = price_paise or self._ltp(request.instrument_key)
        return margin(instrument, request.product, request.side, max(0, opening), price_paise)

    def _ltp(self, key: str) -> int:
        return self._states[key].ltp_paise


def _carry(position: Position, to: Positions) -> None:
    if position.quantity:
        carried = to.of(position.instrument_key, position.product, position.multiplier)
        carried.overnight_quantity = position.quantity
        sign = 1 if position.quantity > 0 else -1
        carried.overnight_paise = sign * position.open_paise


class Accounts:
    """Every user's account, made when first seen; the risk order_manager of the order manager."""

    def __init__(self, states: Mapping[str, InstrumentState], *, opening_paise: int) -> None:
        self._states = states
        self._opening_paise = opening_paise
        self._accounts: dict[str, Account] = {}
        self._killed: dict[str, set[str]] = {}

    def of(self, user_id: str) -> Account:
        """The user's account."""
        if user_id not in self._accounts:
            self._accounts[user_id] = Account(self._states, self._opening_paise)
        return self._accounts[user_id]

    def killed(self, user_id: str) -> set[str]:
        """Segments in which the user's kill switch is on; change it in place."""
        return self._killed.setdefault(user_id, set())

    def objection(self, user_id: str, request: OrderRequest, others: Iterable[Order]) -> str | None:
        """Why the broker would reject this order, if it would."""
        if self._states[request.instrument_key].instrument.segment in self.killed(user_id):
            return "The kill switch of this segment is on"
        return self.of(user_id).objection(request, others)

    def record(self, fill: Fill) -> None:
        """A fill changes what its user has."""
        self.of(fill.order.user_id).record(fill)

    def roll_day(self) -> None:
        """A new day begins."""
        for account in self._accounts.values():
            account.roll_day()
