"""What is not live of deep books and chains follows from their instruments."""

from services.ingest.demand.derived_coverage import NotLive
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import LIMITS, Mode
from shared.contracts.demand import Demand
from tests.support.builders import KEY

DEEP = f"{KEY}|30"


def demand() -> InstrumentDemand:
    demand = InstrumentDemand([], linger_secs=30.0)
    demand.update(Demand(gateway="g", rev=1, quotes=[], depth=[DEEP]), 0.0)
    return demand


def test_a_book_of_30_levels_needs_the_plan() -> None:
    not_live = NotLive(pending={KEY})
    not_live.add_deep_books(demand(), LIMITS["basic"], {KEY: Mode.FULL})
    assert not_live == NotLive(pending={KEY}, needs_plus={DEEP})


def test_a_book_of_30_levels_is_live_once_its_instrument_is_subscribed_so() -> None:
    plus = LIMITS["plus"]
    for before, after, mode in (
        (NotLive(pending={KEY}), NotLive(pending={KEY, DEEP}), Mode.FULL_D30),
        (NotLive(unknown={KEY}), NotLive(unknown={KEY, DEEP}), Mode.FULL_D30),
        (NotLive(), NotLive(no_capacity={DEEP}), Mode.FULL),
        (NotLive(), NotLive(), Mode.FULL_D30),
    ):
        before.add_deep_books(demand(), plus, {KEY: mode})
        assert before == after


def test_a_chain_needs_capacity_for_all_and_data_of_one_of_its_options() -> None:
    not_live = NotLive(pending={"A|1", "A|2"}, no_capacity={"A|3"}, unknown={"A|4"})
    not_live.add_chain("full", ["A|1", "A|3"])
    not_live.add_chain("new", ["A|1", "A|2"])
    not_live.add_chain("partly unknown", ["A|1", "A|4"])
    not_live.add_chain("unknown", ["A|4"])
    not_live.add_chain("live", ["A|1", "A|4", "A|5"])
    assert not_live.no_capacity == {"A|3", "full"}
    assert not_live.pending == {"A|1", "A|2", "new", "partly unknown"}
    assert not_live.unknown == {"A|4", "unknown"}
