"""Whether the time of an answer tells if there is such an account."""

import time
from statistics import median

import pytest

from services.auth.settings import AuthSettings
from tests.support.auth_service import PASSWORD, Auth

ROUNDS = 40
WRONG = "not the right password"


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    return settings.model_copy(
        update={"bcrypt_cost": 8, "free_account_attempts": 1_000, "free_address_attempts": 1_000}
    )


async def test_logins_of_known_and_unknown_users_take_the_same_time(auth: Auth) -> None:
    """The chance that a known user's answer came later than an unknown one's is about a half.

    Taken in turns, so that whatever else the machine does slows down both. Without the
    hash of nobody's password the chance would be 1.
    """
    await auth.signup("known@example.com", PASSWORD)
    known: list[float] = []
    unknown: list[float] = []
    for number in range(ROUNDS + 3):
        for email, taken in (
            (f"unknown{number}@example.com", unknown),
            ("known@example.com", known),
        ):
            started = time.perf_counter()
            answer = await auth.login(email, WRONG)
            taken.append(time.perf_counter() - started)
            assert answer.status == 401
    known, unknown = known[3:], unknown[3:]
    later = sum((one > other) + (one == other) / 2 for one in known for other in unknown)
    chance = later / (len(known) * len(unknown))
    print(
        f"medians {median(known) * 1e3:.1f} and {median(unknown) * 1e3:.1f} ms, chance {chance:.2f}"
    )
    # Three standard deviations of what 40 equal pairs would show, and as much for the machine.
    assert 0.2 < chance < 0.8
