"""Demands and coverages are encoded, decoded and bounded."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import demand
from shared.contracts.demand import Coverage, Demand, ModeUse
from tests.support.builders import KEY, OTHER_KEY


def test_a_demand_is_unchanged_through_json() -> None:
    sent = Demand(gateway="gw-1", rev=7, quotes=[KEY, OTHER_KEY], depth=[KEY])
    assert demand.decode_demand(demand.encode(sent)) == sent


def test_a_demand_without_depth_demands_no_depth() -> None:
    assert demand.decode_demand(b'{"gateway":"g","rev":1,"quotes":[]}').depth == []


def test_a_demand_for_too_many_keys_is_refused() -> None:
    keys = [f"NSE_EQ|{number}" for number in range(demand.MAX_KEYS)]
    largest = Demand(gateway="g", rev=1, quotes=keys)
    assert demand.decode_demand(demand.encode(largest)) == largest
    too_large = demand.encode(Demand(gateway="g", rev=1, quotes=keys, depth=[KEY]))
    with pytest.raises(msgspec.ValidationError, match="more than"):
        demand.decode_demand(too_large)


def test_all_keys_fit_if_they_are_few() -> None:
    assert demand.fitting_keys([OTHER_KEY, KEY, KEY], 2, last=[KEY]) == sorted([KEY, OTHER_KEY])


def test_preferred_keys_are_chosen_first_and_the_last_ones_last() -> None:
    keys = ["NSE_EQ|1", "NSE_EQ|2", "NSE_EQ|3", "NSE_EQ|4"]
    chosen = demand.fitting_keys(keys, 2, preferred=["NSE_EQ|1", "NSE_EQ|4"], last=["NSE_EQ|1"])
    assert chosen == ["NSE_EQ|2", "NSE_EQ|4"]


def test_two_lists_of_fitting_keys_fit_into_one_message() -> None:
    keys = [f"NSE_EQ|{number:0>120}" for number in range(demand.MAX_KEYS)]
    chosen = demand.fitting_keys(keys, demand.MAX_KEYS // 2)
    sent = demand.encode(Demand(gateway="g", rev=1, quotes=chosen, depth=chosen))
    assert demand.MAX_KEYS_BYTES - 1_000 < len(sent) < demand.MAX_KEYS_BYTES + 1_000


def test_the_longest_keys_displace_no_shorter_one() -> None:
    keys = [f"NSE_EQ|{number:0>7}".ljust(128, "\x01") for number in range(1_200)]
    chosen = demand.fitting_keys([*keys, KEY, OTHER_KEY], demand.MAX_KEYS)
    assert {KEY, OTHER_KEY} < set(chosen)
    assert len(chosen) < len(keys)


def test_a_coverage_is_unchanged_through_json() -> None:
    sent = Coverage(
        epoch=3, seen={"gw-1": 7}, pending=[KEY], no_capacity=[OTHER_KEY], unknown=[],
        modes={"full": ModeUse(subscribed=1, limit=2_000)},
    )  # fmt: skip
    assert demand.decode_coverage(demand.encode(sent)) == sent


KEYS = st.lists(st.text(max_size=20), max_size=12)


@given(KEYS, KEYS, KEYS, st.integers(1, 60), st.randoms())
def test_the_parts_of_a_coverage_in_any_order_are_the_coverage(
    pending: list[str], no_capacity: list[str], unknown: list[str], max_bytes: int, order: Any
) -> None:
    whole = Coverage(
        epoch=3, seen={"g": 1}, pending=pending, no_capacity=no_capacity, unknown=unknown, number=5,
        modes={"full": ModeUse(subscribed=1, limit=2_000)},
    )  # fmt: skip
    parts = demand.split_coverage(whole, max_bytes)
    for part in parts:
        keys = [*part.pending, *part.no_capacity, *part.unknown]
        assert len(keys) <= 1 or sum(map(demand.key_bytes, keys)) <= max_bytes
    order.shuffle(parts)
    received = demand.CoverageParts()
    *incomplete, complete = [
        received.add(demand.decode_coverage(demand.encode(part))) for part in parts
    ]
    assert incomplete == [None] * (len(parts) - 1)
    assert complete == whole


def test_a_coverage_with_a_lost_part_is_dropped_for_the_next_one() -> None:
    def parts(number: int) -> list[Coverage]:
        whole = Coverage(
            epoch=3, seen={}, pending=[KEY, OTHER_KEY], no_capacity=[], unknown=[], number=number
        )
        return demand.split_coverage(whole, max_bytes=1)

    received = demand.CoverageParts()
    assert received.add(parts(1)[0]) is None
    assert received.add(parts(2)[1]) is None
    complete = received.add(parts(2)[0])
    assert complete is not None
    assert complete.pending == [KEY, OTHER_KEY]


@pytest.mark.parametrize(("part", "parts"), [(1, 1), (-1, 1), (0, 0), (0, 1_001)])
def test_an_impossible_part_of_a_coverage_is_refused(part: int, parts: int) -> None:
    sent = Coverage(
        epoch=3, seen={}, pending=[], no_capacity=[], unknown=[], part=part, parts=parts
    )
    with pytest.raises(msgspec.ValidationError, match="part"):
        demand.decode_coverage(demand.encode(sent))
