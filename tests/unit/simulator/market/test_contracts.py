"""The derivative contracts are consistent with an exchange's rules."""

from collections import Counter

from services.simulator.market.contracts import contracts
from services.simulator.market.instruments import INDICES, STOCKS, InstrumentType

START = 1_767_607_200_000
CONTRACTS = contracts(START)


def test_there_are_futures_options_and_commodities() -> None:
    counts = Counter((each.segment, each.instrument_type) for each in CONTRACTS)
    assert counts == {
        ("NSE_FO", InstrumentType.FUTURE): 16,
        ("NSE_FO", InstrumentType.CALL): 42,
        ("NSE_FO", InstrumentType.PUT): 42,
        ("MCX_FO", InstrumentType.FUTURE): 6,
    }


def test_keys_and_symbols_are_unique_and_deterministic() -> None:
    assert len({each.key for each in CONTRACTS}) == len(CONTRACTS)
    assert len({each.symbol for each in CONTRACTS}) == len(CONTRACTS)
    assert contracts(START + 60_000) == CONTRACTS


def test_a_contract_comes_after_its_underlying() -> None:
    listed_keys = {each.key for each in (*STOCKS, *INDICES)}
    for contract in CONTRACTS:
        assert contract.underlying_key is None or contract.underlying_key in listed_keys
        listed_keys.add(contract.key)


def test_prices_are_on_the_tick_grid_and_freeze_quantities_are_whole_lots() -> None:
    for contract in CONTRACTS:
        assert contract.base_paise > 30 * contract.tick_paise
        assert contract.base_paise % contract.tick_paise == 0
        assert contract.freeze_quantity % contract.lot_size == 0
        assert contract.expiry_ms is not None
        assert contract.expiry_ms > START - 1


def test_a_later_future_costs_more() -> None:
    reliance = [each for each in CONTRACTS if each.symbol.startswith("RELIANCE FUT")]
    spot = next(stock for stock in STOCKS if stock.symbol == "RELIANCE")
    assert [each.symbol for each in reliance] == [
        "RELIANCE FUT 27 JAN 26",
        "RELIANCE FUT 24 FEB 26",
    ]
    assert spot.base_paise < reliance[0].base_paise < reliance[1].base_paise


def test_strikes_are_symmetric_around_the_underlying() -> None:
    calls = [o for o in CONTRACTS if o.name == "NIFTY" and o.instrument_type is InstrumentType.CALL]
    strikes = [call.strike_paise for call in calls]
    assert strikes == [2_500_000 + 5_000 * offset for offset in range(-10, 11)]
    prices = [call.base_paise for call in calls]
    assert prices == sorted(prices, reverse=True)
    assert calls[10].symbol == "NIFTY 25000 CE 06 JAN 26"
