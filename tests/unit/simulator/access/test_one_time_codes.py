"""One-time codes are valid once and for their lifetime."""

import pytest

from services.simulator.access.one_time_codes import OneTimeCodes
from shared.runtime.clock import SystemClock

LIFETIME_SECS = 60.0


class ManualClock(SystemClock):
    """A clock whose monotonic time the test sets."""

    secs = 0.0

    def monotonic(self) -> float:
        return self.secs


def one_time_codes(clock: ManualClock | None = None, *, code_bytes: int = 16) -> OneTimeCodes[str]:
    return OneTimeCodes(clock or ManualClock(), lifetime_secs=LIFETIME_SECS, code_bytes=code_bytes)


def test_a_code_is_valid_once() -> None:
    codes = one_time_codes()
    code = codes.issue("SIM001")
    assert codes.redeem(code) == "SIM001"
    assert codes.redeem(code) is None


def test_an_unknown_code_is_invalid() -> None:
    assert one_time_codes().redeem("") is None


def test_a_code_expires_after_its_lifetime() -> None:
    clock = ManualClock()
    codes = one_time_codes(clock)
    first, second = codes.issue("SIM001"), codes.issue("SIM001")
    clock.secs = LIFETIME_SECS - 0.1
    assert codes.redeem(first) == "SIM001"
    clock.secs = LIFETIME_SECS
    assert codes.redeem(second) is None


def test_the_oldest_code_is_dropped_when_there_are_too_many() -> None:
    codes = one_time_codes()
    issued = [codes.issue(str(number)) for number in range(1_025)]
    assert codes.redeem(issued[0]) is None
    assert codes.redeem(issued[1]) == "1"
    assert codes.redeem(issued[-1]) == "1024"


@pytest.mark.parametrize(("code_bytes", "characters"), [(6, 8), (16, 22)])
def test_the_length_of_a_code_follows_from_its_random_bytes(
    code_bytes: int, characters: int
) -> None:
    assert len(one_time_codes(code_bytes=code_bytes).issue("SIM001")) == characters
