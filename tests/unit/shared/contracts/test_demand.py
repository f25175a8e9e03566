"""Demand and coverage keep their form on the bus."""

import msgspec
import pytest

from shared.contracts import demand
from shared.contracts.demand import Coverage, Demand
from tests.support.builders import KEY, OTHER_KEY


def test_a_demand_comes_back_from_json() -> None:
    asked = Demand(gateway="gw-1", rev=7, quotes=[KEY, OTHER_KEY], depth=[KEY])
    assert demand.decode_demand(demand.encode(asked)) == asked


def test_a_demand_without_depth_wants_none() -> None:
    assert demand.decode_demand(b'{"gateway":"g","rev":1,"quotes":[]}').depth == []


def test_a_demand_for_too_much_is_refused() -> None:
    keys = [f"NSE_EQ|{number}" for number in range(demand.MAX_KEYS)]
    most = Demand(gateway="g", rev=1, quotes=keys)
    assert demand.decode_demand(demand.encode(most)) == most
    beyond = demand.encode(Demand(gateway="g", rev=1, quotes=keys, depth=[KEY]))
    with pytest.raises(msgspec.ValidationError, match="more than"):
        demand.decode_demand(beyond)


def test_a_coverage_comes_back_from_json() -> None:
    told = Coverage(epoch=3, seen={"gw-1": 7}, pending=[KEY], no_capacity=[OTHER_KEY], unknown=[])
    assert demand.decode_coverage(demand.encode(told)) == told
