"""The end of a trading day: deliveries change hands, and all other positions are carried."""

from decimal import Decimal

from services.trading.portfolio.holdings import Holdings
from services.trading.portfolio.position import Lot, take_oldest, value_of
from services.trading.portfolio.position_book import PositionBook


def settle_day(positions: PositionBook, holdings: Holdings) -> Decimal:
    """Settle both in place; returns by how much the cash changes, before charges.

    Realised profit is paid out. Shares that were bought for delivery are paid and become T1, sold
    ones leave the holdings against their whole value. Intraday positions are flat by then. One that
    is not is carried, as are futures, options, and delivery sales that no holding covers.
    """
    cash = Decimal(0)
    sold: dict[str, int] = {}
    bought: dict[str, list[Lot]] = {}
    for booked in positions.booked.values():
        key, position = booked.instrument.key, booked.position
        cash += position.realised
        if booked.is_delivery and position.quantity > 0:
            cash -= position.open_value
            bought.setdefault(key, []).extend(position.lots)
            position.lots = []
        elif covered := booked.quantity_from(holdings):
            cash += value_of(take_oldest(position.lots, covered)) * position.multiplier
            sold[key] = covered
    holdings.settle(sold, bought)
    positions.start_day()
    return cash
