"""The time of a login does not reveal whether the account exists."""

import time

import pytest

from services.auth.settings import AuthSettings
from tests.support.auth_service import PASSWORD, Auth

ROUNDS = 40
WARM_UP = 3
WRONG = "not the right password"


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    return settings.model_copy(
        update={"bcrypt_cost": 8, "free_account_attempts": 1_000, "free_address_attempts": 1_000}
    )


@pytest.mark.seconds
async def test_logins_of_known_and_unknown_users_take_the_same_time(auth: Auth) -> None:
    """The probability that a login of a known user takes longer than one of an unknown user is
    about a half. The two alternate, so that other work of the machine delays both. Without a hash
    for unknown users the probability would be 1.
    """
    await auth.signup("known@example.com", PASSWORD)
    known_secs: list[float] = []
    unknown_secs: list[float] = []
    for number in range(ROUNDS + WARM_UP):
        for email, durations in (
            (f"unknown{number}@example.com", unknown_secs),
            ("known@example.com", known_secs),
        ):
            started = time.perf_counter()
            reply = await auth.login(email, WRONG)
            durations.append(time.perf_counter() - started)
            assert reply.status == 401
    known, unknown = known_secs[WARM_UP:], unknown_secs[WARM_UP:]
    longer = sum((one > other) + (one == other) / 2 for one in known for other in unknown)
    probability = longer / (len(known) * len(unknown))
    # Three standard deviations of 40 equal pairs are 0.2; the margin allows for as much again.
    assert 0.2 < probability < 0.8
