"""What everybody wants is the union of what each wants, and nobody's for longer."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.demand.interest import MOST_GATEWAYS, Interest
from shared.contracts.demand import DEMAND_TTL_SECS, Demand

PINNED = "NSE_INDEX|Nifty 50"
A, B, C = "NSE_EQ|A", "NSE_EQ|B", "NSE_EQ|C"


def interest(**options: Any) -> Interest:
    return Interest([PINNED], **({"linger_secs": 30.0} | options))


def demand(gateway: str, *quotes: str, rev: int = 1, depth: tuple[str, ...] = ()) -> Demand:
    return Demand(gateway=gateway, rev=rev, quotes=list(quotes), depth=list(depth))


def test_what_two_gateways_want_stays_until_both_have_let_go() -> None:
    wanted = interest()
    wanted.hear(demand("g1", A, B), 0.0)
    wanted.hear(demand("g2", B), 0.0)
    wanted.hear(demand("g1", rev=2), 1.0)
    assert wanted.demanded == [B]
    wanted.hear(demand("g2", rev=2), 2.0)
    assert wanted.demanded == []
    assert set(wanted.lingering) == {A, B}


def test_the_most_wanted_come_first() -> None:
    wanted = interest()
    wanted.hear(demand("g1", A, B), 0.0)
    wanted.hear(demand("g2", B), 0.0)
    assert wanted.demanded == [B, A]


def test_repeating_a_demand_changes_nothing_but_keeps_it_alive() -> None:
    wanted = interest()
    assert wanted.hear(demand("g1", A), 0.0)
    assert not wanted.hear(demand("g1", A), 9.0)
    assert not wanted.forget_silent(DEMAND_TTL_SECS + 5.0)
    assert wanted.demanded == [A]


def test_a_silent_gateway_is_forgotten_and_its_keys_linger() -> None:
    wanted = interest(linger_secs=30.0)
    wanted.hear(demand("g1", A), 0.0)
    gone_at = DEMAND_TTL_SECS + 1.0
    assert wanted.forget_silent(gone_at)
    assert (wanted.demanded, wanted.lingering, wanted.seen) == ([], [A], {})
    assert not wanted.forget_silent(gone_at + 29.0)
    assert wanted.forget_silent(gone_at + 30.0)
    assert wanted.lingering == []


def test_what_is_wanted_again_lingers_no_more() -> None:
    wanted = interest()
    wanted.hear(demand("g1", A), 0.0)
    wanted.hear(demand("g1", rev=2), 1.0)
    wanted.hear(demand("g1", A, rev=3), 2.0)
    assert (wanted.demanded, wanted.lingering) == ([A], [])


def test_who_wants_an_order_book_wants_the_quote() -> None:
    wanted = interest()
    wanted.hear(demand("g1", depth=(A,)), 0.0)
    assert wanted.demanded == [A]
    assert wanted.depth == {A}
    wanted.hear(demand("g1", A, rev=2), 1.0)
    assert wanted.demanded == [A]
    assert not wanted.depth


def test_what_is_no_key_is_named_and_not_asked_for() -> None:
    wanted = interest()
    wanted.hear(demand("g1", "RELIANCE", A), 0.0)
    assert (wanted.demanded, wanted.malformed) == ([A], {"RELIANCE"})
    wanted.hear(demand("g1", A, rev=2), 1.0)
    assert (wanted.malformed, wanted.lingering) == (set(), [])


def test_a_pinned_key_is_nobodys_to_end() -> None:
    wanted = interest()
    wanted.hear(demand("g1", PINNED), 0.0)
    wanted.hear(demand("g1", rev=2), 1.0)
    assert (wanted.pinned, wanted.demanded, wanted.lingering) == ((PINNED,), [], [])


def test_the_revision_that_was_heard_last_is_told() -> None:
    wanted = interest()
    wanted.hear(demand("g1", A, rev=4), 0.0)
    wanted.hear(demand("g1", A, B, rev=5), 0.0)
    assert wanted.seen == {"g1": 5}


def test_more_gateways_than_can_be_are_not_listened_to() -> None:
    wanted = interest()
    for number in range(MOST_GATEWAYS):
        wanted.hear(demand(f"g{number}"), 0.0)
    assert not wanted.hear(demand("one-more", A), 0.0)
    assert wanted.demanded == []


revisions = st.lists(
    st.tuples(st.sampled_from(["g1", "g2", "g3"]), st.sets(st.sampled_from([A, B, C]))),
    max_size=20,
)


@given(revisions)
def test_the_counts_are_those_of_the_last_demands(heard: list[tuple[str, set[str]]]) -> None:
    wanted = interest()
    last: dict[str, set[str]] = {}
    for rev, (gateway, keys) in enumerate(heard):
        wanted.hear(demand(gateway, *sorted(keys), rev=rev), 0.0)
        last[gateway] = keys
    count = Counter(key for keys in last.values() for key in keys)
    assert set(wanted.demanded) == set(count)
    assert [count[key] for key in wanted.demanded] == sorted(count.values(), reverse=True)
