"""Tokens are valid until they expire or are revoked, and their number is bounded."""

from services.simulator.access.tokens import TokenKind, TokenStore, next_expiry_ms
from services.simulator.access.user_id import DEFAULT_USER
from services.simulator.simulation.exchange_clock import ExchangeClock
from shared.market.exchange_time import DAY_MS
from shared.runtime.clock import SystemClock
from tests.support.builders import MONDAY_10_00

HOUR_MS = 3_600_000


def token_store() -> TokenStore:
    clock = ExchangeClock(SystemClock(), start_ms=MONDAY_10_00, speed=1.0)
    return TokenStore(clock, "configured")


def test_ordinary_tokens_expire_at_the_next_half_past_three() -> None:
    expiry_ms = MONDAY_10_00 + 17 * HOUR_MS + HOUR_MS // 2
    assert next_expiry_ms(MONDAY_10_00) == expiry_ms
    assert next_expiry_ms(expiry_ms - 1) == expiry_ms
    assert next_expiry_ms(expiry_ms) == expiry_ms + DAY_MS


def test_a_token_is_valid_until_it_expires_or_is_revoked() -> None:
    tokens = token_store()
    valid = tokens.issue("U1", TokenKind.FULL, MONDAY_10_00 + HOUR_MS)
    expired = tokens.issue("U1", TokenKind.FULL, MONDAY_10_00)
    grant = tokens.find(valid)
    assert grant is not None
    assert (grant.user_id, grant.kind) == ("U1", TokenKind.FULL)
    assert tokens.find(expired) is None
    tokens.revoke(valid)
    assert tokens.find(valid) is None


def test_the_configured_token_can_be_restored_after_all_are_revoked() -> None:
    tokens = token_store()
    other = tokens.issue("U1", TokenKind.FULL, MONDAY_10_00 + HOUR_MS)
    tokens.revoke_all()
    assert (tokens.find("configured"), tokens.find(other)) == (None, None)
    tokens.restore_configured()
    grant = tokens.find("configured")
    assert grant is not None
    assert grant.user_id == DEFAULT_USER
    assert tokens.find(other) is None


def test_the_tokens_of_one_user_can_be_revoked() -> None:
    tokens = token_store()
    first, second = (tokens.issue(user, TokenKind.FULL, MONDAY_10_00 + HOUR_MS) for user in "AB")
    tokens.revoke_all("A")
    assert tokens.find(first) is None
    assert tokens.find(second) is not None
    assert tokens.find("configured") is not None


def test_the_oldest_tokens_are_dropped_but_never_the_configured_one() -> None:
    tokens = token_store()
    issued = [tokens.issue("U1", TokenKind.FULL, MONDAY_10_00 + HOUR_MS) for _ in range(10_005)]
    assert tokens.find("configured") is not None
    assert tokens.find(issued[0]) is None
    assert tokens.find(issued[-1]) is not None
