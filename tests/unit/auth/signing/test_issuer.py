from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from services.auth.core.entities import LoginSession
from services.auth.signing.issuer import JwtIssuer
from services.auth.signing.keyring import load_keyring
from services.auth.signing.reloading_keyring import ReloadingKeyring
from shared.errors import TokenExpired
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.settings import TokenSettings
from shared.web.verifier import TokenVerifier
from tests.unit.auth.fakes import SOURCE, FakeClock

TOKENS = TokenSettings()


@pytest.fixture
def keys(tmp_path: Path, clock: FakeClock) -> ReloadingKeyring:
    keyring = load_keyring(tmp_path, clock, publish_secs=0, create_missing=True)
    return ReloadingKeyring(keyring, tmp_path, clock, reload_secs=1)


@pytest.fixture
def verifier(keys: ReloadingKeyring) -> TokenVerifier:
    return TokenVerifier(keys, TOKENS, SystemClock())


def session_at(clock: Clock) -> LoginSession:
    now = to_datetime(clock.now_ms())
    later = now + timedelta(days=1)
    return LoginSession("session", "user", 0, now, now, now, later, later, SOURCE)


def issuer(keys: ReloadingKeyring, clock: Clock) -> JwtIssuer:
    return JwtIssuer(keys.signing, TOKENS, clock, ttl_secs=600)


def test_a_token_has_exactly_the_specified_header_and_claims(
    keys: ReloadingKeyring, clock: FakeClock
) -> None:
    access = issuer(keys, clock).issue(session_at(clock), ["admin"])
    claims = jwt.decode(access.token, options={"verify_signature": False})
    jti = claims.pop("jti")
    now = clock.now_ms() // 1_000
    assert claims == {
        "iss": TOKENS.issuer,
        "aud": TOKENS.audience,
        "sub": "user",
        "sid": "session",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "typ": "access",
        "roles": ["admin"],
    }
    assert jwt.get_unverified_header(access.token) == {
        "alg": "EdDSA",
        "kid": keys.signing().kid,
        "typ": "JWT",
    }
    assert access.expires_in_secs == 600
    again = issuer(keys, clock).issue(session_at(clock), ["admin"])
    assert jwt.decode(again.token, options={"verify_signature": False})["jti"] != jti


async def test_the_shared_verifier_accepts_a_token(
    keys: ReloadingKeyring, verifier: TokenVerifier
) -> None:
    clock = SystemClock()
    token = issuer(keys, clock).issue(session_at(clock), ["admin"]).token
    principal = await verifier.verify(token)
    assert (principal.user_id, principal.session_id) == ("user", "session")
    assert principal.roles == {"admin"}
    assert principal.expires_at - principal.issued_at == 600


async def test_a_token_expires_after_its_lifetime(
    keys: ReloadingKeyring, verifier: TokenVerifier
) -> None:
    long_ago = FakeClock(SystemClock().now_ms() - 700_000)
    token = issuer(keys, long_ago).issue(session_at(long_ago), []).token
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


def test_a_token_expires_at_the_latest_with_its_session(
    keys: ReloadingKeyring, clock: FakeClock
) -> None:
    ends_soon = replace(session_at(clock), ends_at=clock.now() + timedelta(seconds=90))
    assert issuer(keys, clock).issue(ends_soon, []).expires_in_secs == 90
