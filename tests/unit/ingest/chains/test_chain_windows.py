"""The window of a chain is around the strike nearest to the price, and moves with it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.chains.chain_windows import MAX_CHAINS, ChainState, ChainWindows, centre_of
from shared.contracts.option_chains import ChainKey, OptionsReply, StrikeContracts

NIFTY, DAY = "NSE_INDEX|Nifty 50", "2026-12-01"
STRIKES = [100.0, 150.0, 200.0, 250.0, 300.0]
CHAIN = ChainKey(NIFTY, DAY, 1)


def contracts() -> OptionsReply:
    rows = [
        StrikeContracts(
            strike=strike, call=f"C|{strike:g}", put=None if strike == 100.0 else f"P|{strike:g}"
        )
        for strike in STRIKES
    ]
    return OptionsReply(underlying=NIFTY, expiry=DAY, expiries=[DAY], strikes=rows)


def windows_at(price: float | None, *chains: ChainKey) -> ChainWindows:
    windows = ChainWindows()
    windows.contracts[NIFTY, DAY] = contracts()
    windows.update(chains or [CHAIN], lambda _: price)
    return windows


def strikes(windows: ChainWindows, chain: ChainKey = CHAIN) -> list[float]:
    return [row.strike for row in windows.windows[chain]]


def test_a_window_has_the_strikes_around_the_nearest_one() -> None:
    windows = windows_at(190.0)
    assert strikes(windows) == [150.0, 200.0, 250.0]
    assert windows.at_the_money[CHAIN] == 1
    assert windows.keys(CHAIN) == ["C|150", "P|150", "C|200", "P|200", "C|250", "P|250"]
    assert windows.state(CHAIN) is ChainState.KNOWN


def test_a_window_ends_with_the_lowest_and_highest_strike() -> None:
    low = windows_at(20.0)
    assert (strikes(low), low.at_the_money[CHAIN]) == ([100.0, 150.0], 0)
    assert low.keys(CHAIN) == ["C|100", "C|150", "P|150"]
    high = windows_at(999.0)
    assert (strikes(high), high.at_the_money[CHAIN]) == ([250.0, 300.0], 1)


def test_a_window_moves_only_when_another_strike_is_clearly_nearer() -> None:
    windows = windows_at(190.0)
    for price, middle in ((226.0, 200.0), (229.0, 200.0), (231.0, 250.0), (224.0, 250.0),
                          (219.0, 200.0), (100.0, 100.0)):  # fmt: skip
        windows.update([CHAIN], lambda _, at=price: at)  # type: ignore[misc]
        assert windows.windows[CHAIN][windows.at_the_money[CHAIN]].strike == middle, price


def test_windows_of_different_width_have_the_same_middle() -> None:
    wide = ChainKey(NIFTY, DAY, 2)
    windows = windows_at(190.0, CHAIN, wide)
    assert strikes(windows, wide) == STRIKES
    assert windows.all_keys()[:6] == tuple(windows.keys(CHAIN))
    assert len(set(windows.all_keys())) == len(windows.all_keys()) == 9


def test_a_chain_is_pending_until_contracts_and_price_are_known() -> None:
    assert windows_at(None).state(CHAIN) is ChainState.PENDING
    windows = ChainWindows()
    windows.update([CHAIN], lambda _: 190.0)
    assert windows.state(CHAIN) is ChainState.PENDING
    windows.contracts[NIFTY, DAY] = None
    windows.update([CHAIN], lambda _: 190.0)
    assert windows.state(CHAIN) is ChainState.UNKNOWN


def test_chains_beyond_the_most_have_no_capacity() -> None:
    wanted = [ChainKey(NIFTY, f"day {number}", 1) for number in range(MAX_CHAINS)]
    windows = windows_at(190.0, *wanted, CHAIN)
    assert windows.state(CHAIN) is ChainState.NO_CAPACITY
    assert windows.all_keys() == ()


@given(
    st.lists(st.floats(1.0, 1e6), min_size=1, unique=True).map(sorted),
    st.floats(0.01, 2e6),
    st.none() | st.floats(1.0, 1e6),
)
def test_the_middle_is_always_about_the_nearest_strike(
    prices: list[float], price: float, before: float | None
) -> None:
    at = centre_of(prices, price, before)
    nearest = min(abs(strike - price) for strike in prices)
    step = max((b - a for a, b in itertools.pairwise(prices)), default=0.0)
    assert abs(prices[at] - price) <= nearest + 0.2 * step + 1e-9
