"""The demand is the watchlist and the union of the last demands of all active gateways."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.demand.instrument_demand import MAX_GATEWAYS, InstrumentDemand
from shared.contracts.demand import DEMAND_TTL_SECS, Demand

LISTED = "NSE_INDEX|Nifty 50"
A, B, C = "NSE_EQ|A", "NSE_EQ|B", "NSE_EQ|C"


def instrument_demand(**options: Any) -> InstrumentDemand:
    return InstrumentDemand([LISTED], **({"linger_secs": 30.0} | options))


def message(gateway: str, *quotes: str, rev: int = 1, depth: tuple[str, ...] = ()) -> Demand:
    return Demand(gateway=gateway, rev=rev, quotes=list(quotes), depth=list(depth))


def test_a_key_is_requested_until_every_gateway_has_released_it() -> None:
    demand = instrument_demand()
    demand.update(message("g1", A, B), 0.0)
    demand.update(message("g2", B), 0.0)
    demand.update(message("g1", rev=2), 1.0)
    assert demand.requested == [B]
    demand.update(message("g2", rev=2), 2.0)
    assert demand.requested == []
    assert set(demand.released) == {A, B}


def test_keys_with_more_gateways_come_first() -> None:
    demand = instrument_demand()
    demand.update(message("g1", A, B), 0.0)
    demand.update(message("g2", B), 0.0)
    assert demand.requested == [B, A]


def test_a_repeated_demand_is_no_change_but_keeps_the_gateway_active() -> None:
    demand = instrument_demand()
    assert demand.update(message("g1", A), 0.0)
    assert not demand.update(message("g1", A), 9.0)
    assert not demand.expire(DEMAND_TTL_SECS + 5.0)
    assert demand.requested == [A]


def test_a_silent_gateway_is_dropped_and_its_keys_are_released() -> None:
    demand = instrument_demand(linger_secs=30.0)
    demand.update(message("g1", A), 0.0)
    dropped_secs = DEMAND_TTL_SECS + 1.0
    assert demand.expire(dropped_secs)
    assert (demand.requested, demand.released, demand.revisions) == ([], [A], {})
    assert not demand.expire(dropped_secs + 29.0)
    assert demand.expire(dropped_secs + 30.0)
    assert demand.released == []


def test_a_key_that_is_requested_again_is_not_released_any_more() -> None:
    demand = instrument_demand()
    demand.update(message("g1", A), 0.0)
    demand.update(message("g1", rev=2), 1.0)
    demand.update(message("g1", A, rev=3), 2.0)
    assert (demand.requested, demand.released) == ([A], [])


def test_a_request_for_an_order_book_implies_the_quote() -> None:
    demand = instrument_demand()
    demand.update(message("g1", depth=(A,)), 0.0)
    assert demand.requested == [A]
    assert demand.depth_keys == {A}
    demand.update(message("g1", A, rev=2), 1.0)
    assert demand.requested == [A]
    assert not demand.depth_keys


def test_a_malformed_key_is_listed_and_not_requested() -> None:
    demand = instrument_demand()
    demand.update(message("g1", "RELIANCE", A), 0.0)
    assert (demand.requested, demand.malformed) == ([A], {"RELIANCE"})
    demand.update(message("g1", A, rev=2), 1.0)
    assert (demand.malformed, demand.released) == (set(), [])


def test_a_malformed_key_of_a_dropped_gateway_is_not_listed_any_more() -> None:
    demand = instrument_demand()
    demand.update(message("g1", "RELIANCE"), 0.0)
    demand.expire(DEMAND_TTL_SECS + 1.0)
    assert (demand.malformed, demand.released) == (set(), [])


def test_a_key_of_the_watchlist_is_neither_requested_nor_released() -> None:
    demand = instrument_demand()
    demand.update(message("g1", LISTED), 0.0)
    demand.update(message("g1", rev=2), 1.0)
    assert (demand.watchlist, demand.requested, demand.released) == ((LISTED,), [], [])


def test_the_watchlist_keeps_its_order_without_duplicates() -> None:
    assert InstrumentDemand([B, A, B], linger_secs=1.0).watchlist == (B, A)


def test_the_revision_is_that_of_the_last_demand() -> None:
    demand = instrument_demand()
    demand.update(message("g1", A, rev=4), 0.0)
    demand.update(message("g1", A, B, rev=5), 0.0)
    assert demand.revisions == {"g1": 5}


def test_a_new_gateway_beyond_the_limit_is_ignored() -> None:
    demand = instrument_demand()
    for number in range(MAX_GATEWAYS):
        demand.update(message(f"g{number}"), 0.0)
    assert not demand.update(message("extra", A), 0.0)
    assert demand.requested == []


updates = st.lists(
    st.tuples(st.sampled_from(["g1", "g2", "g3"]), st.sets(st.sampled_from([A, B, C]))),
    max_size=20,
)


@given(updates)
def test_the_counts_are_those_of_the_last_demands(received: list[tuple[str, set[str]]]) -> None:
    demand = instrument_demand()
    last: dict[str, set[str]] = {}
    for rev, (gateway, keys) in enumerate(received):
        demand.update(message(gateway, *sorted(keys), rev=rev), 0.0)
        last[gateway] = keys
    count = Counter(key for keys in last.values() for key in keys)
    assert set(demand.requested) == set(count)
    assert [count[key] for key in demand.requested] == sorted(count.values(), reverse=True)


def test_a_chain_is_requested_while_a_gateway_wants_it_and_so_is_its_underlying() -> None:
    demand = instrument_demand()
    wanted, other = f"{A}|2026-12-01|5", f"{B}|2026-12-01|5"
    demand.update(Demand(gateway="g1", rev=1, quotes=[], chains=[other, "nonsense"]), 0.0)
    demand.update(Demand(gateway="g2", rev=1, quotes=[], chains=[wanted, other]), 0.0)
    assert [str(chain) for chain in demand.chains] == [other, wanted]
    assert set(demand.requested) == {A, B}
    assert demand.malformed == {"nonsense"}
    demand.update(Demand(gateway="g1", rev=2, quotes=[], chains=[]), 1.0)
    demand.update(Demand(gateway="g2", rev=2, quotes=[], chains=[wanted]), 1.0)
    assert [str(chain) for chain in demand.chains] == [wanted]
    assert (demand.requested, demand.malformed) == ([A], set())
    demand.expire(DEMAND_TTL_SECS + 2.0)
    assert demand.chains == []


def test_a_book_of_30_levels_is_requested_until_every_gateway_has_released_it() -> None:
    demand = instrument_demand()
    demand.update(message("g1", depth=(f"{A}|30", A)), 0.0)
    demand.update(message("g2", depth=(f"{A}|30",)), 0.0)
    demand.update(message("g1", depth=(A,), rev=2), 1.0)
    assert demand.deep_keys == demand.depth_keys == frozenset({A})
    assert demand.requested == [A]
    demand.update(message("g2", rev=2), 1.0)
    assert demand.deep_keys == frozenset()
    assert demand.depth_keys == frozenset({A})


def test_options_of_chains_change_only_with_another_list() -> None:
    demand = instrument_demand()
    assert demand.set_chain_instruments([A])
    assert not demand.set_chain_instruments((A,))
    assert demand.chain_instruments == (A,)
