"""Holdings of a new account, and their settlement at the end of the day."""

from services.simulator.account.holdings import Holding, initial_holdings, settle
from services.simulator.market.instruments import STOCKS
from services.simulator.market.state import SimulatedState

RELIANCE = "NSE_EQ|INE002A01018"


def test_a_new_account_holds_only_shares_of_the_market() -> None:
    market = {stock.key: SimulatedState(stock, None) for stock in STOCKS if stock.key == RELIANCE}
    [holding] = initial_holdings(market).values()
    assert (holding.instrument_key, holding.quantity) == (RELIANCE, 50)
    assert holding.average_paise == market[RELIANCE].instrument.base_paise * 95 // 100
    assert initial_holdings({}) == {}


def test_sold_shares_are_removed_at_their_average_price() -> None:
    holdings = {"K": Holding("K", 10, 1_000, used_quantity=4)}
    assert holdings["K"].free_quantity == 6
    settle(holdings, [])
    assert (holdings["K"].quantity, holdings["K"].used_quantity) == (6, 0)
    assert (holdings["K"].paid_paise, holdings["K"].average_paise) == (600, 100)


def test_a_holding_that_is_sold_completely_is_removed() -> None:
    holdings = {"K": Holding("K", 10, 1_000, used_quantity=10)}
    settle(holdings, [])
    assert holdings == {}


def test_bought_shares_are_delivered_after_a_day() -> None:
    holdings = {"K": Holding("K", 10, 1_000)}
    settle(holdings, [("K", 10, 3_000), ("NEW", 5, 500)])
    bought = holdings["K"]
    assert (bought.quantity, bought.t1_quantity, bought.average_paise) == (10, 10, 200)
    assert holdings["NEW"].t1_quantity == 5
    settle(holdings, [])
    assert (bought.quantity, bought.t1_quantity, bought.paid_paise) == (20, 0, 4_000)


def test_the_average_price_of_no_shares_is_zero() -> None:
    assert Holding("K", 0, 0).average_paise == 0
