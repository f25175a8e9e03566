"""The gateway's demand, and the outcomes by ingest's coverage or, without one, by estimate."""

from typing import Any

from services.gateway.fanout.interest import Interest, Outcome
from shared.contracts.demand import DEMAND_TTL_SECS, MAX_CHAINS, MAX_KEYS, Coverage, encode
from tests.support.builders import KEY, OTHER_KEY


def coverage(rev: int, **not_live: list[str]) -> Coverage:
    lists: dict[str, Any] = {"pending": [], "no_capacity": [], "unknown": []}
    return Coverage(epoch=1, seen={"gw": rev}, **(lists | not_live))


def test_the_demand_changes_only_with_the_subscribed_keys() -> None:
    interest = Interest("gw")
    assert interest.want([KEY], [])
    assert not interest.want([KEY, KEY], [])
    assert interest.want([KEY], [OTHER_KEY])
    demand = interest.demand()
    assert (demand.rev, set(demand.quotes), demand.depth) == (2, {KEY, OTHER_KEY}, [OTHER_KEY])


def test_without_coverage_a_key_with_a_quote_is_live_and_any_other_pending() -> None:
    interest = Interest("gw")
    assert interest.outcome(KEY, 0.0, is_known=True) is Outcome.LIVE
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING


def test_a_key_is_live_if_the_coverage_considers_its_demand_and_does_not_list_it() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=0), 0.0) == {}
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING
    assert interest.apply(coverage(rev=1), 0.0) == {KEY: Outcome.LIVE}
    assert interest.apply(coverage(rev=1), 0.0) == {}
    assert interest.apply(coverage(rev=1, no_capacity=[KEY]), 0.0) == {KEY: Outcome.NO_CAPACITY}


def test_an_expired_coverage_is_ignored() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1, unknown=[KEY]), 0.0)
    assert interest.outcome(KEY, DEMAND_TTL_SECS - 1, is_known=True) is Outcome.UNKNOWN
    assert interest.outcome(KEY, DEMAND_TTL_SECS + 1, is_known=True) is Outcome.LIVE


def test_a_key_that_is_demanded_again_is_pending_until_the_new_demand_is_considered() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1), 0.0)
    interest.want([], [])
    interest.want([KEY], [])
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING
    assert interest.apply(coverage(rev=3), 0.0) == {KEY: Outcome.LIVE}


def test_a_question_about_a_key_is_no_report() -> None:
    interest = Interest("gw")
    assert interest.known_outcome(KEY, 0.0) is None
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=1, unknown=[KEY]), 0.0) == {KEY: Outcome.UNKNOWN}
    assert interest.known_outcome(KEY, 0.0) is Outcome.UNKNOWN
    assert interest.known_outcome(KEY, DEMAND_TTL_SECS + 1) is None
    assert interest.known_outcome(OTHER_KEY, 0.0) is None
    assert interest._reported == {KEY: Outcome.UNKNOWN}


def test_an_outcome_that_was_reported_is_not_reported_again() -> None:
    interest = Interest("gw")
    interest.outcome(KEY, 0.0, is_known=True)
    interest.outcome(OTHER_KEY, 0.0, is_known=False)
    interest.want([KEY, OTHER_KEY], [])
    assert interest.apply(coverage(rev=1, pending=[OTHER_KEY]), 0.0) == {}
    assert interest.apply(coverage(rev=1), 0.0) == {OTHER_KEY: Outcome.LIVE}


def test_an_outcome_is_reported_again_if_clients_received_different_ones() -> None:
    interest = Interest("gw")
    interest.outcome(KEY, 0.0, is_known=False)
    interest.outcome(KEY, 0.0, is_known=True)
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=1), 0.0) == {KEY: Outcome.LIVE}


def test_an_estimate_made_without_coverage_is_corrected_by_the_next_coverage() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1, unknown=[KEY]), 0.0)
    assert interest.outcome(KEY, DEMAND_TTL_SECS + 1, is_known=True) is Outcome.LIVE
    changed = interest.apply(coverage(rev=1, unknown=[KEY]), DEMAND_TTL_SECS + 2)
    assert changed == {KEY: Outcome.UNKNOWN}


def test_the_reported_outcome_of_an_unsubscribed_key_is_dropped() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1), 0.0)
    interest.want([], [])
    interest.outcome(KEY, DEMAND_TTL_SECS + 1, is_known=False)
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=3), DEMAND_TTL_SECS + 2) == {KEY: Outcome.LIVE}


def test_keys_beyond_the_maximum_do_not_displace_demanded_keys() -> None:
    interest = Interest("gw")
    interest.want([KEY], [OTHER_KEY])
    flood = [f"A|{number}" for number in range(MAX_KEYS + 1)]
    interest.want([KEY, *flood], [OTHER_KEY, *flood])
    demand = interest.demand()
    assert KEY in demand.quotes
    assert OTHER_KEY in demand.depth
    assert len(demand.quotes) + len(demand.depth) == MAX_KEYS
    assert interest.outcome(max(flood), 0.0, is_known=False) is Outcome.NO_CAPACITY


def long_keys(prefix: str, count: int) -> list[str]:
    """Keys of 128 characters of which each takes six bytes in JSON."""
    return [
        f"{prefix}|" + f"{number:07d}".ljust(127 - len(prefix), "\x01") for number in range(count)
    ]


def test_a_demand_fits_into_a_message_whatever_its_keys_are() -> None:
    interest = Interest("gw")
    keys = long_keys("A", 5_000)
    interest.want(keys, keys)
    assert len(encode(interest.demand())) < 1_000_000
    assert len(interest.demand().quotes) > 500


def test_keys_of_the_last_demand_stay_when_others_exceed_its_size() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.want([KEY, *long_keys("A", 5_000)], [])
    assert KEY in interest.demand().quotes
    refused = long_keys("A", 5_000)[-1]
    assert interest.outcome(refused, 0.0, is_known=False) is Outcome.NO_CAPACITY


def test_a_key_whose_order_book_exceeds_the_demand_has_no_capacity() -> None:
    interest = Interest("gw")
    keys = long_keys("A", 5_000)
    interest.want([], keys)
    demand = interest.demand()
    refused = set(keys).difference(demand.quotes)
    assert refused == set(keys).difference(demand.depth)
    assert len(refused) > 0
    outcomes = interest.apply(coverage(rev=1), 0.0)
    assert {outcomes[key] for key in refused} == {Outcome.NO_CAPACITY}
    assert {outcomes[key] for key in demand.depth} == {Outcome.LIVE}


def test_keys_that_are_no_instruments_yield_to_new_ones() -> None:
    interest = Interest("gw")
    interest.want(long_keys("A", 5_000), [])
    unknown = interest.demand().quotes
    interest.apply(coverage(rev=1, unknown=unknown), 0.0)
    interest.want([*unknown, KEY], [])
    assert KEY in interest.demand().quotes


def test_outcomes_are_counted_and_keys_without_one_are_pending() -> None:
    interest = Interest("gw")
    interest.want([KEY, "A|1", "A|2"], [])
    nothing = {"live": 0, "no_capacity": 0, "unknown": 0, "needs_plus": 0}
    assert interest.counts() == nothing | {"pending": 3}
    interest.apply(coverage(rev=1, unknown=["A|1"]), 0.0)
    assert interest.counts() == nothing | {"live": 2, "unknown": 1, "pending": 0}


def test_chains_and_deep_books_are_demanded_with_outcomes_of_their_own() -> None:
    interest = Interest("gw")
    chain, deep = f"{OTHER_KEY}|2026-12-01|5", f"{KEY}|30"
    assert interest.want([], [deep], [chain])
    demand = interest.demand()
    assert (demand.quotes, demand.depth, demand.chains) == ([KEY], [deep], [chain])
    assert interest.outcome(deep, 0.0, is_known=False) is Outcome.PENDING
    changed = interest.apply(coverage(rev=1, needs_plus=[deep]), 0.0)
    assert changed == {deep: Outcome.NEEDS_PLUS, KEY: Outcome.LIVE, chain: Outcome.LIVE}
    assert not interest.want([], [deep], [chain])


def test_a_gateway_has_a_limited_number_of_chains() -> None:
    interest = Interest("gw")
    chains = [f"{OTHER_KEY}|20{number:02}-12-01|5" for number in range(MAX_CHAINS + 1)]
    interest.want([], [], chains)
    assert len(interest.demand().chains) == MAX_CHAINS
    (beyond,) = set(chains) - set(interest.demand().chains)
    assert interest.outcome(beyond, 0.0, is_known=False) is Outcome.NO_CAPACITY
