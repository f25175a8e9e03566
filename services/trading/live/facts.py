"""Facts of an account at Upstox that the checks of an order need."""

from decimal import Decimal
from typing import Final

import msgspec

from services.trading.orders.instrument import OrderInstrument
from services.trading.portfolio.account import PaperAccount
from services.trading.portfolio.order_book import Place
from services.trading.risk.proposal import AccountFacts
from shared.contracts.order_terms import Account, Product, Side, Terms
from shared.contracts.trading_replies import Funds, Holdings, PositionView

_ZERO: Final = Decimal(0)


class UpstoxFacts(msgspec.Struct, frozen=True):
    """Positions, holdings and funds as Upstox listed them at one time."""

    positions: list[PositionView]
    holdings: Holdings
    funds: Funds
    filled: dict[Place, int] = {}
    """Quantities of known fills before the reading began. Upstox's positions are taken to include
    these."""

    def loss(self) -> Decimal:
        """Realised and marked loss of the day, before charges; a profit is negative."""
        return -sum(
            (one.realised + (one.unrealised or _ZERO) for one in self.positions), start=_ZERO
        )

    def net_quantity(self, key: str, product: Product) -> int:
        """Of the position; negative for a short one."""
        return sum(
            one.quantity for one in self.positions if (one.key, one.product) == (key, product)
        )

    def exposed_quantity(self, position: PositionView) -> int:
        """Of a position; signed, without the sale of shares that the demat account delivers."""
        if position.product is not Product.DELIVERY or position.quantity > 0:
            return position.quantity
        return min(0, position.quantity + self.held_quantity(position.key))

    def filled_since(self, account: PaperAccount, place: Place) -> int:
        """The quantity of later fills: the positions may or may not include them."""
        return max(0, account.filled_quantity(Account.UPSTOX, place) - self.filled.get(place, 0))

    def held_quantity(self, key: str) -> int:
        """Shares in the demat account and T1."""
        return sum(
            one.quantity + one.t1_quantity for one in self.holdings.holdings if one.key == key
        )


def account_facts(
    account: PaperAccount,
    facts: UpstoxFacts,
    terms: Terms,
    instrument: OrderInstrument,
    *,
    changed_order_id: str | None,
    orders_last_sec: int,
) -> AccountFacts:
    """The facts for an order of these terms; `changed_order_id` is left out of open orders."""
    held = facts.net_quantity(terms.key, terms.product)
    is_delivery = terms.product is Product.DELIVERY and instrument.is_share
    bought_today = max(0, held)
    if is_delivery:
        held += facts.held_quantity(terms.key)
    closing = Side.SELL if held > 0 else Side.BUY
    open_quantity = account.open_quantity(
        Account.UPSTOX, terms.key, terms.product, closing, without=changed_order_id
    )
    # A later fill may be in the positions or not. An order that opens must never count as closing,
    # so it is taken off in any case.
    filled = facts.filled_since(account, (terms.key, terms.product, closing))
    left = max(0, abs(held) - open_quantity - filled)
    return AccountFacts(
        available=facts.funds.available,
        closable=left if terms.side is closing else 0,
        loss=facts.loss(),
        open_orders=len(account.open_orders()),
        orders_today=account.daily_orders,
        orders_last_sec=orders_last_sec,
        user_switches=account.kill_switches,
        locked_loss=account.upstox_locked_loss,
        is_first_demat_sale=is_delivery and terms.prices.quantity > bought_today,
    )
