"""What becomes of a key is ingest's last word on it, or a guess while there is none."""

from services.gateway.fanout.interest import Interest, Outcome
from shared.contracts.demand import DEMAND_TTL_SECS, MAX_KEYS, Coverage
from tests.support.builders import KEY, OTHER_KEY


def coverage(rev: int, **not_live: list[str]) -> Coverage:
    lists: dict[str, list[str]] = {"pending": [], "no_capacity": [], "unknown": []}
    return Coverage(epoch=1, seen={"gw": rev}, **(lists | not_live))


def test_a_demand_changes_only_with_what_is_wanted() -> None:
    interest = Interest("gw")
    assert interest.want([KEY], [])
    assert not interest.want([KEY, KEY], [])
    assert interest.want([KEY], [OTHER_KEY])
    demand = interest.demand()
    assert (demand.rev, set(demand.quotes), demand.depth) == (2, {KEY, OTHER_KEY}, [OTHER_KEY])


def test_without_a_word_of_ingest_a_known_key_is_live_and_another_pending() -> None:
    interest = Interest("gw")
    assert interest.outcome(KEY, 0.0, is_known=True) is Outcome.LIVE
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING


def test_a_key_is_live_once_its_demand_was_seen_and_it_is_not_named() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=0), 0.0) == {}
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING
    assert interest.apply(coverage(rev=1), 0.0) == {KEY: Outcome.LIVE}
    assert interest.apply(coverage(rev=1), 0.0) == {}
    assert interest.apply(coverage(rev=1, no_capacity=[KEY]), 0.0) == {KEY: Outcome.NO_CAPACITY}


def test_an_old_word_of_ingest_counts_no_more() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1, unknown=[KEY]), 0.0)
    assert interest.outcome(KEY, DEMAND_TTL_SECS - 1, is_known=True) is Outcome.UNKNOWN
    assert interest.outcome(KEY, DEMAND_TTL_SECS + 1, is_known=True) is Outcome.LIVE


def test_a_key_that_comes_back_waits_for_its_new_demand_to_be_seen() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1), 0.0)
    interest.want([], [])
    interest.want([KEY], [])
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING
    assert interest.apply(coverage(rev=3), 0.0) == {KEY: Outcome.LIVE}


def test_who_was_told_right_is_not_told_again() -> None:
    interest = Interest("gw")
    interest.outcome(KEY, 0.0, is_known=True)
    interest.outcome(OTHER_KEY, 0.0, is_known=False)
    interest.want([KEY, OTHER_KEY], [])
    assert interest.apply(coverage(rev=1, pending=[OTHER_KEY]), 0.0) == {}
    assert interest.apply(coverage(rev=1), 0.0) == {OTHER_KEY: Outcome.LIVE}


def test_all_are_told_where_some_were_told_otherwise() -> None:
    interest = Interest("gw")
    interest.outcome(KEY, 0.0, is_known=False)
    interest.outcome(KEY, 0.0, is_known=True)
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=1), 0.0) == {KEY: Outcome.LIVE}


def test_a_guess_while_ingest_was_silent_is_corrected_when_it_speaks_again() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1, unknown=[KEY]), 0.0)
    assert interest.outcome(KEY, DEMAND_TTL_SECS + 1, is_known=True) is Outcome.LIVE
    told = interest.apply(coverage(rev=1, unknown=[KEY]), DEMAND_TTL_SECS + 2)
    assert told == {KEY: Outcome.UNKNOWN}


def test_a_key_that_nobody_wants_any_more_is_forgotten() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.apply(coverage(rev=1), 0.0)
    interest.want([], [])
    interest.outcome(KEY, DEMAND_TTL_SECS + 1, is_known=False)
    interest.want([KEY], [])
    assert interest.apply(coverage(rev=3), DEMAND_TTL_SECS + 2) == {KEY: Outcome.LIVE}


def test_what_is_too_much_takes_no_place_from_what_was_there_before() -> None:
    interest = Interest("gw")
    interest.want([KEY], [OTHER_KEY])
    flood = [f"A|{number}" for number in range(MAX_KEYS + 1)]
    interest.want([KEY, *flood], [OTHER_KEY, *flood])
    demand = interest.demand()
    assert KEY in demand.quotes
    assert OTHER_KEY in demand.depth
    assert len(demand.quotes) + len(demand.depth) == MAX_KEYS
    assert interest.outcome(max(flood), 0.0, is_known=False) is Outcome.NO_CAPACITY
