"""The derivatives of a market are contracts an exchange would list."""

from collections import Counter

from services.simulator.market.contracts import contracts
from services.simulator.market.instruments import INDICES, STOCKS, Kind

START = 1_767_607_200_000
CONTRACTS = contracts(START)


def test_there_are_futures_options_and_commodities() -> None:
    kinds = Counter((one.segment, one.kind) for one in CONTRACTS)
    assert kinds == {
        ("NSE_FO", Kind.FUTURE): 16,
        ("NSE_FO", Kind.CALL): 42,
        ("NSE_FO", Kind.PUT): 42,
        ("MCX_FO", Kind.FUTURE): 6,
    }


def test_keys_and_symbols_are_all_different_and_the_same_every_time() -> None:
    assert len({one.key for one in CONTRACTS}) == len(CONTRACTS)
    assert len({one.symbol for one in CONTRACTS}) == len(CONTRACTS)
    assert contracts(START + 60_000) == CONTRACTS


def test_what_a_contract_follows_comes_before_it() -> None:
    known = {one.key for one in (*STOCKS, *INDICES)}
    for contract in CONTRACTS:
        assert contract.underlying_key is None or contract.underlying_key in known
        known.add(contract.key)


def test_prices_are_on_the_grid_and_orders_in_whole_lots() -> None:
    for contract in CONTRACTS:
        assert contract.base_paise > 30 * contract.tick_paise
        assert contract.base_paise % contract.tick_paise == 0
        assert contract.freeze_quantity % contract.lot_size == 0
        assert contract.expiry_ms is not None
        assert contract.expiry_ms > START - 1


def test_later_future_costs_more() -> None:
    reliance = [one for one in CONTRACTS if one.symbol.startswith("RELIANCE FUT")]
    spot = next(stock for stock in STOCKS if stock.symbol == "RELIANCE")
    assert [one.symbol for one in reliance] == ["RELIANCE FUT 27 JAN 26", "RELIANCE FUT 24 FEB 26"]
    assert spot.base_paise < reliance[0].base_paise < reliance[1].base_paise


def test_strikes_are_even_about_the_underlying() -> None:
    calls = [o for o in CONTRACTS if o.name == "NIFTY" and o.kind is Kind.CALL]
    strikes = [call.strike_paise for call in calls]
    assert strikes == [2_500_000 + 5_000 * place for place in range(-10, 11)]
    prices = [call.base_paise for call in calls]
    assert prices == sorted(prices, reverse=True)
    assert calls[10].symbol == "NIFTY 25000 CE 06 JAN 26"
