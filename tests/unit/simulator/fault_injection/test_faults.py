"""Armed faults apply to matching events, as often as configured."""

import pytest

from services.simulator.fault_injection.fault_kinds import (
    FRAME_FAULTS,
    REQUEST_FAULTS,
    FaultKind,
    Stream,
)
from services.simulator.fault_injection.faults import MAX_ARMED, Fault, Faults

ERROR = Fault(FaultKind.ERROR)
DROP = Fault(FaultKind.DROP)


def test_a_fault_applies_once_by_default() -> None:
    faults = Faults()
    faults.arm(ERROR)
    assert faults.take(REQUEST_FAULTS) == ERROR
    assert faults.take(REQUEST_FAULTS) is None
    assert faults.armed() == {}


def test_a_fault_applies_the_configured_number_of_times() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.DROP, times=3))
    assert [faults.take(FRAME_FAULTS) is not None for _ in range(4)] == [True, True, True, False]


def test_a_fault_without_a_count_applies_until_disarmed() -> None:
    faults = Faults()
    number = faults.arm(Fault(FaultKind.DROP, times=None))
    assert all(faults.take(FRAME_FAULTS) for _ in range(10))
    assert faults.disarm(number)
    assert not faults.disarm(number)
    assert faults.take(FRAME_FAULTS) is None


def test_the_first_matching_events_can_be_skipped() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.DROP, after=2))
    assert [faults.take(FRAME_FAULTS) is not None for _ in range(4)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("method", "path", "applies"),
    [
        ("POST", "/v3/order/place", True),
        ("GET", "/v3/order/place", False),
        ("POST", "/v2/user/profile", False),
    ],
)
def test_a_request_must_match_method_and_path(method: str, path: str, applies: bool) -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.LOST, path="/v3/order", method="POST"))
    assert (faults.take(REQUEST_FAULTS, method=method, path=path) is not None) is applies


def test_frames_and_requests_have_their_own_faults() -> None:
    faults = Faults()
    faults.arm(ERROR)
    faults.arm(DROP)
    assert faults.take(FRAME_FAULTS) == DROP
    assert faults.take(REQUEST_FAULTS) == ERROR


def test_the_oldest_fault_applies_first_and_is_dropped_first() -> None:
    faults = Faults()
    first, second = Fault(FaultKind.DROP, after=0), Fault(FaultKind.GARBAGE)
    faults.arm(first)
    faults.arm(second)
    assert faults.take(FRAME_FAULTS) == first
    for _ in range(MAX_ARMED):
        faults.arm(DROP)
    assert not faults.is_armed(FaultKind.GARBAGE)
    assert len(faults.armed()) == MAX_ARMED


def test_all_faults_can_be_disarmed() -> None:
    faults = Faults()
    faults.arm(ERROR)
    faults.disarm_all()
    assert faults.take(REQUEST_FAULTS) is None


def test_a_fault_of_a_user_applies_to_that_user_only() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.ERROR, user_id="SIM002"))
    assert faults.take(REQUEST_FAULTS) is None
    assert faults.take(REQUEST_FAULTS, user_id="SIM001") is None
    assert faults.take(REQUEST_FAULTS, user_id="SIM002") is not None


def test_a_fault_of_a_stream_applies_to_its_messages_only() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.STALL, stream=Stream.PORTFOLIO))
    assert faults.take(FRAME_FAULTS, stream=Stream.FEED) is None
    assert faults.take(FRAME_FAULTS, stream=Stream.PORTFOLIO) is not None


def test_a_delay_is_rounded_to_milliseconds() -> None:
    assert Fault(FaultKind.SLOW, delay_secs=0.0015).delay_ms == 2
