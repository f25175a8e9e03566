"""A code opens one connection, soon."""

from services.simulator.feed.codes import LIFETIME_SECS, OneTimeCodes
from shared.runtime.clock import SystemClock


class HandClock(SystemClock):
    """Monotonic time that moves only when told."""

    secs = 0.0

    def monotonic(self) -> float:
        return self.secs


def test_code_is_good_once() -> None:
    codes = OneTimeCodes(HandClock())
    code = codes.issue("SIM001")
    assert codes.redeem(code) == "SIM001"
    assert not codes.redeem(code)


def test_code_that_was_never_issued_is_refused() -> None:
    assert not OneTimeCodes(HandClock()).redeem("")


def test_code_expires() -> None:
    clock = HandClock()
    codes = OneTimeCodes(clock)
    code, other = codes.issue("SIM001"), codes.issue("SIM001")
    clock.secs = LIFETIME_SECS - 0.1
    assert codes.redeem(code)
    clock.secs = LIFETIME_SECS
    assert not codes.redeem(other)


def test_oldest_code_gives_way_when_there_are_too_many() -> None:
    codes = OneTimeCodes(HandClock())
    issued = [codes.issue("SIM001") for _ in range(1_025)]
    assert not codes.redeem(issued[0])
    assert codes.redeem(issued[1])
    assert codes.redeem(issued[-1])
