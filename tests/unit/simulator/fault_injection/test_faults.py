"""Armed faults strike what they match, as often as they should."""

import pytest

from services.simulator.fault_injection.faults import (
    MOST_ARMED,
    OF_FRAMES,
    OF_REQUESTS,
    Fault,
    FaultKind,
    Faults,
)

ERROR = Fault(FaultKind.ERROR)
DROP = Fault(FaultKind.DROP)


def test_fault_strikes_once_unless_told_otherwise() -> None:
    faults = Faults()
    faults.arm(ERROR)
    assert faults.take(OF_REQUESTS) == ERROR
    assert faults.take(OF_REQUESTS) is None
    assert faults.armed() == {}


def test_fault_strikes_so_many_times() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.DROP, times=3))
    assert [faults.take(OF_FRAMES) is not None for _ in range(4)] == [True, True, True, False]


def test_fault_without_a_count_strikes_until_disarmed() -> None:
    faults = Faults()
    number = faults.arm(Fault(FaultKind.DROP, times=None))
    assert all(faults.take(OF_FRAMES) for _ in range(10))
    assert faults.disarm(number)
    assert not faults.disarm(number)
    assert faults.take(OF_FRAMES) is None


def test_first_matches_may_be_spared() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.DROP, after=2))
    assert [faults.take(OF_FRAMES) is not None for _ in range(4)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("method", "path", "strikes"),
    [
        ("POST", "/v3/order/place", True),
        ("GET", "/v3/order/place", False),
        ("POST", "/v2/user/profile", False),
    ],
)
def test_request_must_match_method_and_path(method: str, path: str, strikes: bool) -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.LOST, path="/v3/order", method="POST"))
    assert (faults.take(OF_REQUESTS, method=method, path=path) is not None) is strikes


def test_frames_and_requests_have_faults_of_their_own() -> None:
    faults = Faults()
    faults.arm(ERROR)
    faults.arm(DROP)
    assert faults.take(OF_FRAMES) == DROP
    assert faults.take(OF_REQUESTS) == ERROR


def test_oldest_fault_strikes_first_and_goes_first_when_there_are_too_many() -> None:
    faults = Faults()
    first, second = Fault(FaultKind.DROP, after=0), Fault(FaultKind.GARBAGE)
    faults.arm(first)
    faults.arm(second)
    assert faults.take(OF_FRAMES) == first
    for _ in range(MOST_ARMED):
        faults.arm(DROP)
    assert not faults.is_armed(FaultKind.GARBAGE)
    assert len(faults.armed()) == MOST_ARMED


def test_all_can_be_disarmed() -> None:
    faults = Faults()
    faults.arm(ERROR)
    faults.disarm_all()
    assert faults.take(OF_REQUESTS) is None


def test_update_is_posted_twice_once() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.WEBHOOK_TWICE))
    assert [faults.webhook_posts() for _ in range(2)] == [2, 1]
