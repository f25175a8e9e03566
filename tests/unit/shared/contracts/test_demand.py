"""Demands and coverages are encoded, decoded and bounded."""

import msgspec
import pytest

from shared.contracts import demand
from shared.contracts.demand import Coverage, Demand
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


def test_a_coverage_is_unchanged_through_json() -> None:
    sent = Coverage(epoch=3, seen={"gw-1": 7}, pending=[KEY], no_capacity=[OTHER_KEY], unknown=[])
    assert demand.decode_coverage(demand.encode(sent)) == sent
