from pathlib import Path

import jwt
import pytest

from services.auth.issuer import Issuer
from services.auth.keyring import Keyring, create_key, load_keyring
from services.auth.own_keys import OwnKeys
from shared.clock import SystemClock
from shared.errors import TokenExpired
from shared.settings import TokenSettings
from shared.verifier import TokenVerifier
from tests.unit.auth.conftest import StoppedClock

TOKENS = TokenSettings()


@pytest.fixture
def keyring(tmp_path: Path, clock: StoppedClock) -> Keyring:
    return load_keyring(tmp_path, clock, create_missing=True)


@pytest.fixture
def rotated(keyring: Keyring, tmp_path: Path) -> Keyring:
    create_key(tmp_path, StoppedClock(2_000_000_000_000))
    return load_keyring(tmp_path, SystemClock(), create_missing=False)


@pytest.fixture
def verifier(keyring: Keyring) -> TokenVerifier:
    return TokenVerifier(OwnKeys(keyring), TOKENS)


def test_a_token_has_exactly_the_agreed_header_and_claims(
    keyring: Keyring, clock: StoppedClock
) -> None:
    issuer = Issuer(keyring, TOKENS, clock, ttl_secs=600)
    access = issuer.issue("user", "session", ["admin"])
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
        "kid": keyring.signing_kid,
        "typ": "JWT",
    }
    assert access.expires_in_secs == 600
    again = jwt.decode(
        issuer.issue("user", "session", ["admin"]).token, options={"verify_signature": False}
    )
    assert again["jti"] != jti


async def test_the_shared_verifier_accepts_it(keyring: Keyring, verifier: TokenVerifier) -> None:
    issuer = Issuer(keyring, TOKENS, SystemClock(), ttl_secs=600)
    principal = await verifier.verify(issuer.issue("user", "session", ["admin"]).token)
    assert (principal.user_id, principal.session_id) == ("user", "session")
    assert principal.roles == {"admin"}


async def test_a_token_does_not_outlive_its_time(keyring: Keyring, verifier: TokenVerifier) -> None:
    long_ago = StoppedClock(SystemClock().now_ms() - 700_000)
    token = Issuer(keyring, TOKENS, long_ago, ttl_secs=600).issue("user", "session", []).token
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


async def test_a_token_signed_before_a_rotation_stays_good(
    keyring: Keyring, rotated: Keyring
) -> None:
    token = Issuer(keyring, TOKENS, SystemClock(), ttl_secs=600).issue("user", "session", []).token
    assert rotated.signing_kid != keyring.signing_kid
    assert (await TokenVerifier(OwnKeys(rotated), TOKENS).verify(token)).user_id == "user"
