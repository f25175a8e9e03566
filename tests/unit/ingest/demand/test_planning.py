"""A plan keeps within Upstox's limits, and asks for nothing twice."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.demand.interest import Interest
from services.ingest.demand.limits import LIMITS, Mode, ModeLimits
from services.ingest.demand.planning import Method, plan, requests
from shared.contracts.demand import Demand

PINNED = "NSE_INDEX|Nifty 50"
SMALL = ModeLimits(full_alone=4, full_mixed=3, deep=2)
FLAT = ModeLimits(full_alone=4, full_mixed=3, deep=0)


def key(number: int) -> str:
    return f"NSE_EQ|{number:03}"


def keys(count: int, start: int = 0) -> list[str]:
    return [key(number) for number in range(start, start + count)]


def interest(quotes: list[str], depth: list[str] | None = None, *, pinned: bool = True) -> Interest:
    wanted = Interest([PINNED] if pinned else [], linger_secs=30.0)
    wanted.hear(Demand(gateway="g", rev=1, quotes=quotes, depth=depth or []), 0.0)
    return wanted


def test_all_that_fits_is_subscribed_in_full_mode() -> None:
    target = plan(interest(keys(3)), FLAT, current={}, silent=set())
    assert target.modes == dict.fromkeys([PINNED, *keys(3)], Mode.FULL)
    assert target.refused == ()


def test_what_does_not_fit_is_refused_by_name_and_never_what_is_pinned() -> None:
    target = plan(interest(keys(6)), FLAT, current={}, silent=set())
    assert PINNED in target.modes
    assert len(target.modes) == 4
    assert sorted([*target.modes, *target.refused]) == sorted([PINNED, *keys(6)])


def test_who_has_a_place_keeps_it() -> None:
    had = dict.fromkeys(keys(3, start=3), Mode.FULL)
    target = plan(interest(keys(6)), FLAT, current=had, silent=set())
    assert set(target.modes) == {PINNED, *had}


def test_what_upstox_does_not_know_makes_room_for_others() -> None:
    had = dict.fromkeys(keys(4), Mode.FULL)
    target = plan(interest(keys(6), pinned=False), FLAT, current=had, silent={key(0), key(1)})
    assert set(target.modes) == set(keys(4, start=2))
    assert set(target.refused) == {key(0), key(1)}


def test_what_lingers_stays_only_while_there_is_room() -> None:
    wanted = interest(keys(3), pinned=False)
    wanted.hear(Demand(gateway="g", rev=2, quotes=keys(2, start=2)), 1.0)
    had = dict.fromkeys(keys(3), Mode.FULL)
    roomy = plan(wanted, FLAT, current=had, silent=set())
    assert set(roomy.modes) == set(keys(4))
    wanted.hear(Demand(gateway="g", rev=3, quotes=keys(4, start=2)), 2.0)
    full = plan(wanted, FLAT, current=had, silent=set())
    assert set(full.modes) == set(keys(4, start=2))
    assert full.refused == ()


def test_wanted_books_are_deep_where_the_account_may() -> None:
    wanted = interest(keys(3), depth=keys(1))
    assert plan(wanted, SMALL, current={}, silent=set()).modes == {
        PINNED: Mode.FULL,
        key(0): Mode.FULL_D30,
        key(1): Mode.FULL,
        key(2): Mode.FULL,
    }
    assert set(plan(wanted, FLAT, current={}, silent=set()).modes.values()) == {Mode.FULL}


def test_no_quote_loses_its_place_to_a_deeper_book() -> None:
    wanted = interest(keys(4), depth=keys(1), pinned=False)
    assert plan(wanted, SMALL, current={}, silent=set()).modes[key(0)] is Mode.FULL_D30
    too_many = interest([*keys(4), key(9)], depth=keys(1), pinned=False)
    target = plan(too_many, SMALL, current={}, silent=set())
    assert set(target.modes.values()) == {Mode.FULL}
    assert len(target.refused) == 1


def test_requests_make_room_before_they_take_it() -> None:
    now = {key(0): Mode.FULL, key(1): Mode.FULL, key(2): Mode.FULL_D30}
    then = {key(1): Mode.FULL_D30, key(2): Mode.FULL, key(3): Mode.FULL}
    assert [(r.method, r.keys, r.mode) for r in requests(now, then)] == [
        (Method.UNSUBSCRIBE, (key(0),), None),
        (Method.CHANGE_MODE, (key(2),), Mode.FULL),
        (Method.CHANGE_MODE, (key(1),), Mode.FULL_D30),
        (Method.SUBSCRIBE, (key(3),), Mode.FULL),
    ]


def test_nothing_is_asked_for_when_nothing_changes() -> None:
    modes = dict.fromkeys(keys(5), Mode.FULL)
    assert requests(modes, modes) == []


def test_many_keys_are_asked_for_in_messages_of_five_hundred() -> None:
    asked = requests({}, dict.fromkeys(keys(1_200), Mode.FULL))
    assert [len(request.keys) for request in asked] == [500, 500, 200]


some = st.lists(st.integers(0, 9).map(key), unique=True)
modes = st.dictionaries(st.integers(0, 9).map(key), st.sampled_from([Mode.FULL, Mode.FULL_D30]))


@given(quotes=some, depth=some, current=modes, silent=st.sets(st.integers(0, 9).map(key)))
def test_a_plan_keeps_every_limit_and_loses_nobody(
    quotes: list[str], depth: list[str], current: dict[str, Mode], silent: set[str]
) -> None:
    target = plan(interest(quotes, depth), SMALL, current=current, silent=silent)
    count = Counter(target.modes.values())
    assert count[Mode.FULL_D30] <= SMALL.deep
    most = SMALL.full_mixed if count[Mode.FULL_D30] else SMALL.full_alone
    assert count[Mode.FULL] <= most
    assert {*target.modes, *target.refused} == {PINNED, *quotes, *depth}
    assert not set(target.modes) & set(target.refused)


@given(current=modes, target=modes)
def test_requests_lead_to_the_plan_and_touch_nothing_else(
    current: dict[str, Mode], target: dict[str, Mode]
) -> None:
    reached = dict(current)
    for request in requests(current, target):
        for one in request.keys:
            assert (one in reached) == (request.method is not Method.SUBSCRIBE)
            assert current.get(one) != target.get(one)
            if request.mode is None:
                del reached[one]
            else:
                reached[one] = request.mode
    assert reached == target


def test_both_plans_of_upstox_have_limits() -> None:
    assert LIMITS["basic"].deep == 0
    assert LIMITS["plus"].deep == 50
