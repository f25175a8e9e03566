"""Tokens are good until they die, and the configured one does not make room."""

from services.simulator.exchange_clock import ExchangeClock
from services.simulator.tokens import Kind, Tokens, next_death_ms
from shared.market.exchange_time import DAY_MS
from shared.runtime.clock import SystemClock
from tests.support.builders import MONDAY_10_00

HOUR_MS = 3_600_000


def tokens() -> Tokens:
    clock = ExchangeClock(SystemClock(), start_ms=MONDAY_10_00, speed=1.0)
    return Tokens(clock, "configured")


def test_ordinary_tokens_die_at_half_past_three_of_the_next_morning() -> None:
    death = MONDAY_10_00 + 17 * HOUR_MS + HOUR_MS // 2
    assert next_death_ms(MONDAY_10_00) == death
    assert next_death_ms(death - 1) == death
    assert next_death_ms(death) == death + DAY_MS


def test_a_token_is_good_until_it_dies_or_is_revoked() -> None:
    book = tokens()
    good = book.issue("U1", Kind.FULL, MONDAY_10_00 + HOUR_MS)
    dead = book.issue("U1", Kind.FULL, MONDAY_10_00)
    grant = book.find(good)
    assert grant is not None
    assert grant.user_id == "U1"
    assert book.find(dead) is None
    book.revoke(good)
    assert book.find(good) is None


def test_however_many_are_issued_the_configured_one_stays_and_the_rest_is_bounded() -> None:
    book = tokens()
    issued = [book.issue("U1", Kind.FULL, MONDAY_10_00 + HOUR_MS) for _ in range(10_005)]
    assert book.find("configured") is not None
    assert book.find(issued[0]) is None
    assert book.find(issued[-1]) is not None
