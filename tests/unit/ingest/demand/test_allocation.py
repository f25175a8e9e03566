"""An allocation respects Upstox's limits and the rank of each instrument."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.demand.allocation import allocate
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import Mode, ModeLimits
from shared.contracts.demand import Demand

LISTED = "NSE_INDEX|Nifty 50"
PLUS = ModeLimits(full_alone=4, full_mixed=3, full_d30=2)
BASIC = ModeLimits(full_alone=4, full_mixed=3, full_d30=0)


def key(number: int) -> str:
    return f"NSE_EQ|{number:03}"


def keys(count: int, start: int = 0) -> list[str]:
    return [key(number) for number in range(start, start + count)]


def demand_for(
    quotes: list[str], depth: list[str] | None = None, *, watchlist: tuple[str, ...] = (LISTED,)
) -> InstrumentDemand:
    demand = InstrumentDemand(watchlist, linger_secs=30.0)
    demand.update(Demand(gateway="g", rev=1, quotes=quotes, depth=depth or []), 0.0)
    return demand


def test_keys_within_the_limit_are_allocated_in_full_mode() -> None:
    target = allocate(demand_for(keys(3)), BASIC, current={}, unknown=set())
    assert target.modes == dict.fromkeys([LISTED, *keys(3)], Mode.FULL)
    assert target.no_capacity == ()


def test_keys_beyond_the_limit_are_listed_and_never_those_of_the_watchlist() -> None:
    target = allocate(demand_for(keys(6)), BASIC, current={}, unknown=set())
    assert LISTED in target.modes
    assert len(target.modes) == 4
    assert sorted([*target.modes, *target.no_capacity]) == sorted([LISTED, *keys(6)])


def test_a_subscribed_key_keeps_its_place_against_a_new_one() -> None:
    current = dict.fromkeys(keys(3, start=3), Mode.FULL)
    target = allocate(demand_for(keys(6)), BASIC, current=current, unknown=set())
    assert set(target.modes) == {LISTED, *current}


def test_an_unknown_key_gives_its_place_to_another() -> None:
    current = dict.fromkeys(keys(4), Mode.FULL)
    demand = demand_for(keys(6), watchlist=())
    target = allocate(demand, BASIC, current=current, unknown={key(0), key(1)})
    assert set(target.modes) == set(keys(4, start=2))
    assert set(target.no_capacity) == {key(0), key(1)}


def test_a_released_key_stays_only_while_there_is_capacity() -> None:
    demand = demand_for(keys(3), watchlist=())
    demand.update(Demand(gateway="g", rev=2, quotes=keys(2, start=2)), 1.0)
    current = dict.fromkeys(keys(3), Mode.FULL)
    with_capacity = allocate(demand, BASIC, current=current, unknown=set())
    assert set(with_capacity.modes) == set(keys(4))
    demand.update(Demand(gateway="g", rev=3, quotes=keys(4, start=2)), 2.0)
    without_capacity = allocate(demand, BASIC, current=current, unknown=set())
    assert set(without_capacity.modes) == set(keys(4, start=2))
    assert without_capacity.no_capacity == ()


def test_requested_order_books_have_30_levels_if_the_plan_allows() -> None:
    demand = demand_for(keys(3), depth=keys(1))
    assert allocate(demand, PLUS, current={}, unknown=set()).modes == {
        LISTED: Mode.FULL,
        key(0): Mode.FULL_D30,
        key(1): Mode.FULL,
        key(2): Mode.FULL,
    }
    assert set(allocate(demand, BASIC, current={}, unknown=set()).modes.values()) == {Mode.FULL}


def test_no_key_loses_its_quotes_to_an_order_book_of_30_levels() -> None:
    demand = demand_for(keys(4), depth=keys(1), watchlist=())
    assert allocate(demand, PLUS, current={}, unknown=set()).modes[key(0)] is Mode.FULL_D30
    excessive = demand_for([*keys(4), key(9)], depth=keys(1), watchlist=())
    target = allocate(excessive, PLUS, current={}, unknown=set())
    assert set(target.modes.values()) == {Mode.FULL}
    assert len(target.no_capacity) == 1


some_keys = st.lists(st.integers(0, 9).map(key), unique=True)
modes = st.dictionaries(st.integers(0, 9).map(key), st.sampled_from([Mode.FULL, Mode.FULL_D30]))


@given(
    quotes=some_keys,
    depth=some_keys,
    current=modes,
    unknown=st.sets(st.integers(0, 9).map(key)),
)
def test_an_allocation_keeps_every_limit_and_loses_no_key(
    quotes: list[str], depth: list[str], current: dict[str, Mode], unknown: set[str]
) -> None:
    target = allocate(demand_for(quotes, depth), PLUS, current=current, unknown=unknown)
    count = Counter(target.modes.values())
    assert count[Mode.FULL_D30] <= PLUS.full_d30
    limit = PLUS.full_mixed if count[Mode.FULL_D30] else PLUS.full_alone
    assert count[Mode.FULL] <= limit
    assert {*target.modes, *target.no_capacity} == {LISTED, *quotes, *depth}
    assert not set(target.modes) & set(target.no_capacity)


OPTIONS = [f"NSE_FO|{number}" for number in range(4)]


def test_options_of_chains_have_a_mode_and_a_limit_of_their_own() -> None:
    limits = ModeLimits(full_alone=4, full_mixed=3, full_d30=0, option_greeks=3)
    demand = demand_for([key(0), OPTIONS[1]])
    demand.set_chain_instruments(OPTIONS)
    target = allocate(demand, limits, current={}, unknown=set())
    assert target.modes == {
        LISTED: Mode.FULL,
        key(0): Mode.FULL,
        OPTIONS[1]: Mode.FULL,
        OPTIONS[0]: Mode.OPTION_GREEKS,
        OPTIONS[2]: Mode.OPTION_GREEKS,
        OPTIONS[3]: Mode.OPTION_GREEKS,
    }
    demand.set_chain_instruments(["NSE_FO|9", *OPTIONS])
    assert allocate(demand, limits, current={}, unknown=set()).no_capacity == (OPTIONS[3],)


def test_no_key_loses_its_quotes_to_a_chain() -> None:
    demand = demand_for(keys(3))
    demand.set_chain_instruments(OPTIONS)
    target = allocate(demand, BASIC, current={}, unknown=set())
    assert target.modes == dict.fromkeys([LISTED, *keys(3)], Mode.FULL)
    assert target.no_capacity == tuple(OPTIONS)


def test_released_keys_yield_to_a_chain() -> None:
    demand = demand_for(keys(4), watchlist=())
    demand.update(Demand(gateway="g", rev=2, quotes=keys(2)), 1.0)
    demand.set_chain_instruments(OPTIONS[:1])
    current = dict.fromkeys([*keys(4), OPTIONS[0]], Mode.FULL)
    target = allocate(demand, BASIC, current=current, unknown=set())
    assert target.modes[OPTIONS[0]] is Mode.OPTION_GREEKS
    assert len(target.modes) == 4
    assert target.no_capacity == ()


def test_order_books_that_are_requested_with_30_levels_precede_others() -> None:
    demand = demand_for([], depth=[*keys(3), f"{key(3)}|30"], watchlist=())
    modes = allocate(demand, PLUS, current={}, unknown=set()).modes
    assert modes[key(3)] is Mode.FULL_D30
    assert list(modes.values()).count(Mode.FULL_D30) == 2
