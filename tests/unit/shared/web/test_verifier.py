"""Only access tokens of the issuer are accepted, whatever is wrong with the others."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from jwt import PyJWK
from jwt.algorithms import OKPAlgorithm

from shared.errors import TokenExpired, Unauthenticated
from shared.runtime.clock import SystemClock
from shared.runtime.settings import TokenSettings
from shared.web.verifier import LEEWAY_SECS, REQUIRED_CLAIMS, KeySource, TokenVerifier

SETTINGS = TokenSettings(issuer="https://issuer.test", audience="tradedad-test")
KID = "2026-11"
KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()
PUBLIC_PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


class OneKey(KeySource):
    """A key set with one key and no issuer."""

    def __init__(self) -> None:
        jwk = OKPAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        self.key = PyJWK({**jwk, "kid": KID, "alg": "EdDSA"})

    async def find(self, kid: str) -> PyJWK:
        if kid != KID:
            raise Unauthenticated("the token is signed with an unknown key")
        return self.key


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    good: dict[str, object] = {
        "iss": SETTINGS.issuer, "aud": SETTINGS.audience, "sub": "user-1", "sid": "session-1",
        "jti": "token-1", "iat": now, "nbf": now, "exp": now + 600, "typ": "access",
        "roles": ["admin"],
    }  # fmt: skip
    return good | changes


def sign(
    body: dict[str, Any], *, key: Ed25519PrivateKey = KEY, headers: dict[str, Any] | None = None
) -> str:
    return jwt.encode(body, key, algorithm="EdDSA", headers={"kid": KID} | (headers or {}))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], body: dict[str, Any], signature: bytes) -> str:
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(body).encode())}.{b64(signature)}"


def hs256(body: dict[str, Any], secret: bytes) -> str:
    signed = by_hand({"alg": "HS256", "kid": KID}, body, b"").rstrip(".")
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def verify(token: str) -> Any:
    return asyncio.run(TokenVerifier(OneKey(), SETTINGS, SystemClock()).verify(token))


def refuse(token: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refusal:
        verify(token)
    return refusal.value


def test_a_valid_token_has_a_principal() -> None:
    body = claims()
    principal = verify(sign(body))
    assert principal.user_id == "user-1"
    assert principal.session_id == "session-1"
    assert principal.token_id == "token-1"
    assert principal.roles == {"admin"}
    assert principal.expires_at == body["exp"]


@pytest.mark.parametrize("claim", REQUIRED_CLAIMS)
def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    body = claims()
    del body[claim]
    assert claim in refuse(sign(body)).detail


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://somebody.else"},
        {"aud": "another-service"},
        {"aud": []},
        {"typ": "refresh"},
        {"typ": None},
        {"typ": ["access"]},
        {"sub": 7},
        {"sid": 7},
        {"jti": 7},
        {"roles": "admin"},
        {"roles": None},
        {"exp": "tomorrow"},
        {"exp": None},
        {"iat": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(changes: dict[str, object]) -> None:
    refusal = refuse(signed(changes))
    assert not isinstance(refusal, TokenExpired)


def signed(changes: dict[str, object]) -> str:
    """Sign any claims by hand: the library refuses to encode some of them."""
    head, body, _ = by_hand({"alg": "EdDSA", "kid": KID}, claims(**changes), b"").split(".")
    return f"{head}.{body}.{b64(KEY.sign(f'{head}.{body}'.encode()))}"


def test_an_expired_token_has_its_own_error() -> None:
    now = int(time.time())
    with pytest.raises(TokenExpired):
        verify(sign(claims(exp=now - LEEWAY_SECS - 1)))
    assert verify(sign(claims(exp=now - 1))).user_id == "user-1"


def test_a_token_that_is_not_valid_yet_is_refused() -> None:
    now = int(time.time())
    refuse(sign(claims(nbf=now + 60)))
    refuse(sign(claims(iat=now + 60)))
    assert verify(sign(claims(nbf=now + 1, iat=now + 1))).user_id == "user-1"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_is_refused(alg: str) -> None:
    refuse(by_hand({"alg": alg, "kid": KID}, claims(), b""))
    refuse(by_hand({"alg": "EdDSA", "kid": KID}, claims(), b""))


def test_a_token_signed_with_the_public_key_as_an_hmac_secret_is_refused() -> None:
    for secret in (PUBLIC_PEM, KEY.public_key().public_bytes_raw(), b""):
        refuse(hs256(claims(), secret))


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": "unknown"},
        {"kid": ""},
        {"jku": "https://evil.test", "kid": "unknown"},
        {"jwk": OKPAlgorithm.to_jwk(OTHER_KEY.public_key(), as_dict=True)},
        {"crit": ["b64"], "b64": False},
    ],
    ids=["unknown kid", "empty kid", "jku", "jwk", "crit"],
)
def test_a_token_with_its_own_key_or_an_unknown_key_id_is_refused(
    headers: dict[str, Any],
) -> None:
    key = OTHER_KEY if "crit" not in headers else KEY
    refuse(sign(claims(), key=key, headers=headers))


@pytest.mark.parametrize("kid", [None, 1, ["2026-11"]])
def test_a_token_without_a_key_id_is_refused(kid: object) -> None:
    refuse(by_hand({"alg": "EdDSA", "kid": kid}, claims(), b""))
    refuse(by_hand({"alg": "EdDSA"}, claims(), b""))


def test_a_token_signed_with_another_key_under_a_known_key_id_is_refused() -> None:
    refuse(sign(claims(), key=OTHER_KEY))


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=63))
def test_a_token_with_one_character_changed_is_refused(place: int, turn: int) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = sign(claims())
    places = [i for i, letter in enumerate(good[:-1]) if letter != "."]
    at = places[place % len(places)]
    changed = letters[(letters.index(good[at]) + turn) % 64]
    refuse(good[:at] + changed + good[at + 1 :])


@given(st.text(st.characters()) | st.binary().map(lambda data: f"{b64(data)}.e30.AA"))
def test_any_other_text_is_refused(text: str) -> None:
    refuse(text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "\udcff.e30.AA", "\0", "é.é.é", "A" * 9_000]
)
def test_a_text_similar_to_a_token_is_refused(text: str) -> None:
    refuse(text)


def test_a_deeply_nested_header_is_refused() -> None:
    for nest in (b'{"a":', b"["):
        refuse(f"{b64(nest * 20_000)}.e30.AA")
