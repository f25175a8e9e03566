"""What becomes of a key is ingest's last word on it, or a guess while there is none."""

from services.gateway.coverage import Interest
from services.gateway.protocol import Outcome
from shared.demand import FORGET_SECS, Coverage
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
    assert interest.hear(coverage(rev=0), 0.0) == {}
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING
    assert interest.hear(coverage(rev=1), 0.0) == {KEY: Outcome.LIVE}
    assert interest.hear(coverage(rev=1), 0.0) == {}
    assert interest.hear(coverage(rev=1, no_capacity=[KEY]), 0.0) == {KEY: Outcome.NO_CAPACITY}


def test_an_old_word_of_ingest_counts_no_more() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.hear(coverage(rev=1, unknown=[KEY]), 0.0)
    assert interest.outcome(KEY, FORGET_SECS - 1, is_known=True) is Outcome.UNKNOWN
    assert interest.outcome(KEY, FORGET_SECS + 1, is_known=True) is Outcome.LIVE


def test_a_key_that_comes_back_waits_for_its_new_demand_to_be_seen() -> None:
    interest = Interest("gw")
    interest.want([KEY], [])
    interest.hear(coverage(rev=1), 0.0)
    interest.want([], [])
    interest.want([KEY], [])
    assert interest.outcome(KEY, 0.0, is_known=False) is Outcome.PENDING
    assert interest.hear(coverage(rev=3), 0.0) == {KEY: Outcome.LIVE}
