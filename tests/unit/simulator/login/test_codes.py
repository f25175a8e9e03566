"""An authorization code is good once, and not for long."""

from services.simulator.login.codes import LIFETIME_SECS, AuthorizationCodes
from shared.runtime.clock import SystemClock


class HandClock(SystemClock):
    """Monotonic time that moves only when told."""

    secs = 0.0

    def monotonic(self) -> float:
        return self.secs


URI = "http://127.0.0.1/back"


def test_code_leads_to_its_redirect_address_once() -> None:
    codes = AuthorizationCodes(HandClock())
    code = codes.issue(URI)
    assert codes.use_up(code) == URI
    assert codes.use_up(code) is None


def test_unknown_code_leads_nowhere() -> None:
    assert AuthorizationCodes(HandClock()).use_up("") is None


def test_code_is_too_old_after_its_lifetime() -> None:
    clock = HandClock()
    codes = AuthorizationCodes(clock)
    code = codes.issue(URI)
    clock.secs = LIFETIME_SECS
    assert codes.use_up(code) is None


def test_oldest_code_goes_when_there_are_too_many() -> None:
    codes = AuthorizationCodes(HandClock())
    first, *others = [codes.issue(URI) for _ in range(1_025)]
    assert codes.use_up(first) is None
    assert codes.use_up(others[0]) == URI
