from dataclasses import replace

import pytest

from services.auth.core.attempt_limiter import AttemptLimiter, AttemptLimits
from services.auth.core.entities import AttemptLimit
from shared.errors import TooManyAttempts
from tests.unit.auth.fakes import FakeClock, MemoryThrottle

LIMIT = AttemptLimit(free_attempts=2, base_delay_secs=1, max_delay_secs=60, reset_after_secs=60)
LIMITS = AttemptLimits(
    account=LIMIT, address=replace(LIMIT, free_attempts=5), signup=replace(LIMIT, free_attempts=3)
)
ADDRESS = "192.0.2.1"


@pytest.fixture
def limiter(throttle: MemoryThrottle) -> AttemptLimiter:
    return AttemptLimiter(throttle, LIMITS)


async def test_signups_are_counted_by_address_with_their_own_limit(
    limiter: AttemptLimiter, throttle: MemoryThrottle, clock: FakeClock
) -> None:
    for _ in range(3):
        await limiter.admit_signup(ADDRESS, clock.now())
    with pytest.raises(TooManyAttempts):
        await limiter.admit_signup(ADDRESS, clock.now())
    await limiter.admit_signup("192.0.2.2", clock.now())
    assert throttle.counts == {"signup|192.0.2.1": 3, "signup|192.0.2.2": 1}


async def test_the_addresses_of_an_ipv6_network_are_counted_together(
    limiter: AttemptLimiter, throttle: MemoryThrottle, clock: FakeClock
) -> None:
    await limiter.admit_signup("2001:db8:1:2::1", clock.now())
    await limiter.admit_signup("2001:db8:1:2::2", clock.now())
    assert throttle.counts == {"signup|2001:db8:1:2::/64": 2}


async def test_a_password_is_counted_by_address_and_by_account(
    limiter: AttemptLimiter, throttle: MemoryThrottle, clock: FakeClock
) -> None:
    await limiter.admit_password("ann", None, ADDRESS, clock.now())
    assert throttle.counts == {"address|192.0.2.1": 1, "account|ann": 1}


async def test_unknown_devices_share_the_count_of_an_account_from_all_addresses(
    limiter: AttemptLimiter, clock: FakeClock
) -> None:
    await limiter.admit_password("ann", None, "192.0.2.1", clock.now())
    await limiter.admit_password("ann", None, "192.0.2.2", clock.now())
    with pytest.raises(TooManyAttempts):
        await limiter.admit_password("ann", None, "192.0.2.3", clock.now())
    await limiter.admit_password("bob", None, "192.0.2.3", clock.now())


async def test_each_known_device_has_a_count_of_its_own(
    limiter: AttemptLimiter, clock: FakeClock
) -> None:
    for number in range(2):
        await limiter.admit_password("ann", None, f"198.51.100.{number}", clock.now())
    for _ in range(2):
        await limiter.admit_password("ann", "laptop", ADDRESS, clock.now())
    with pytest.raises(TooManyAttempts):
        await limiter.admit_password("ann", "laptop", ADDRESS, clock.now())
    await limiter.admit_password("ann", "phone", ADDRESS, clock.now())


async def test_an_attempt_that_is_refused_for_its_address_does_not_count_against_the_account(
    limiter: AttemptLimiter, throttle: MemoryThrottle, clock: FakeClock
) -> None:
    for number in range(5):
        await limiter.admit_password(f"account-{number}", None, ADDRESS, clock.now())
    with pytest.raises(TooManyAttempts):
        await limiter.admit_password("ann", None, ADDRESS, clock.now())
    assert "account|ann" not in throttle.counts


async def test_a_verified_password_resets_the_account_and_refunds_the_address(
    limiter: AttemptLimiter, throttle: MemoryThrottle, clock: FakeClock
) -> None:
    await limiter.admit_password("bob", None, ADDRESS, clock.now())
    for _ in range(2):
        await limiter.admit_password("ann", None, ADDRESS, clock.now())
    await limiter.password_verified("ann", None, ADDRESS)
    assert throttle.counts == {"address|192.0.2.1": 2, "account|bob": 1}


async def test_a_verified_password_of_a_known_device_resets_only_that_device(
    limiter: AttemptLimiter, throttle: MemoryThrottle, clock: FakeClock
) -> None:
    await limiter.admit_password("ann", None, "198.51.100.1", clock.now())
    await limiter.admit_password("ann", "laptop", ADDRESS, clock.now())
    await limiter.password_verified("ann", "laptop", ADDRESS)
    assert throttle.counts == {"address|198.51.100.1": 1, "account|ann": 1, "address|192.0.2.1": 0}
