"""Requests lead from the current subscriptions to the target, and change nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.demand.limits import Mode
from services.ingest.demand.subscription_requests import Method, requests_between


def key(number: int) -> str:
    return f"NSE_EQ|{number:03}"


def test_requests_that_free_capacity_come_first() -> None:
    current = {key(0): Mode.FULL, key(1): Mode.FULL, key(2): Mode.FULL_D30}
    target = {key(1): Mode.FULL_D30, key(2): Mode.FULL, key(3): Mode.FULL}
    requests = requests_between(current, target)
    assert [(request.method, request.keys, request.mode) for request in requests] == [
        (Method.UNSUBSCRIBE, (key(0),), None),
        (Method.CHANGE_MODE, (key(2),), Mode.FULL),
        (Method.CHANGE_MODE, (key(1),), Mode.FULL_D30),
        (Method.SUBSCRIBE, (key(3),), Mode.FULL),
    ]


def test_there_is_no_request_without_a_change() -> None:
    modes = dict.fromkeys(map(key, range(5)), Mode.FULL)
    assert requests_between(modes, modes) == []


def test_a_request_has_at_most_500_keys() -> None:
    requests = requests_between({}, dict.fromkeys(map(key, range(1_200)), Mode.FULL))
    assert [len(request.keys) for request in requests] == [500, 500, 200]


modes = st.dictionaries(st.integers(0, 9).map(key), st.sampled_from([Mode.FULL, Mode.FULL_D30]))


@given(current=modes, target=modes)
def test_requests_lead_to_the_target_and_skip_unchanged_keys(
    current: dict[str, Mode], target: dict[str, Mode]
) -> None:
    reached = dict(current)
    for request in requests_between(current, target):
        for changed in request.keys:
            assert (changed in reached) == (request.method is not Method.SUBSCRIBE)
            assert current.get(changed) != target.get(changed)
            if request.mode is None:
                del reached[changed]
            else:
                reached[changed] = request.mode
    assert reached == target
