"""Attacks with access tokens over real HTTP."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.auth.settings import AuthSettings
from services.auth.signing.keyring import Key
from shared.web.verifier import REQUIRED_CLAIMS
from tests.support.auth_service import Auth

Claims = dict[str, Any]


@pytest.fixture
def claims(ann: dict[str, Any], settings: AuthSettings) -> Claims:
    """The claims of a valid token."""
    now = int(time.time())
    return {
        "iss": settings.tokens.issuer,
        "aud": settings.tokens.audience,
        "sub": ann["user_id"],
        "sid": ann["session_id"],
        "jti": "token",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "typ": "access",
        "roles": [],
    }


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: Key, claims: Claims, **headers: Any) -> str:
    return jwt.encode(claims, key.private, "EdDSA", headers={"kid": key.kid} | headers)


async def refused(auth: Auth, token: str, code: str = "unauthenticated") -> None:
    reply = await auth.me(token)
    assert (reply.status, reply.body["code"]) == (401, code)
    assert reply.headers["WWW-Authenticate"] == "Bearer"


async def test_a_valid_token_is_accepted(auth: Auth, key: Key, claims: Claims) -> None:
    assert (await auth.me(signed(key, claims))).status == 200


async def test_an_unsigned_token_is_refused(
    auth: Auth, key: Key, claims: Claims, ann: dict[str, Any]
) -> None:
    unsigned = jwt.encode(claims, "", "none", headers={"kid": key.kid})
    await refused(auth, unsigned)
    await refused(auth, unsigned + ann["access_token"].split(".")[2])
    for name in ("None", "NONE", "nOnE"):
        header = _part(json.dumps({"alg": name, "kid": key.kid}).encode())
        await refused(auth, f"{header}.{unsigned.split('.')[1]}.")


async def test_a_token_signed_with_the_public_key_as_an_hmac_secret_is_refused(
    auth: Auth, key: Key, claims: Claims
) -> None:
    # A verifier that takes the published key for an HMAC secret accepts anybody's tokens. PyJWT
    # refuses to sign such tokens, so they are made by hand.
    der = key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps((await auth.get("/.well-known/jwks.json")).body["keys"][0]).encode()
    for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512")):
        header = _part(json.dumps({"alg": algorithm, "kid": key.kid}).encode())
        signing_input = f"{header}.{_part(json.dumps(claims).encode())}"
        for secret in (key.public.public_bytes_raw(), der, pem, jwk, b""):
            signature = _part(hmac.digest(secret, signing_input.encode(), digest))
            await refused(auth, f"{signing_input}.{signature}")


async def test_a_token_of_another_algorithm_is_refused(
    auth: Auth, key: Key, claims: Claims
) -> None:
    rsa_key = rsa.generate_private_key(65_537, 2_048)
    await refused(auth, jwt.encode(claims, rsa_key, "RS256", headers={"kid": key.kid}))


async def test_a_key_inside_a_token_is_not_used(auth: Auth, key: Key, claims: Claims) -> None:
    own = Ed25519PrivateKey.generate()
    x = _part(own.public_key().public_bytes_raw())
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key.kid}
    for headers in (
        {"kid": key.kid, "jwk": jwk},
        {"kid": key.kid, "jku": "http://127.0.0.1:1/jwks.json"},
        {"kid": key.kid, "x5u": "http://127.0.0.1:1/cert.pem"},
    ):
        await refused(auth, jwt.encode(claims, own, "EdDSA", headers=headers))


async def test_a_token_with_an_unknown_key_id_is_refused(
    auth: Auth, key: Key, claims: Claims
) -> None:
    for kid in ("another", "../" + key.kid, "", key.kid + "\0", ["a", "list"], None):
        token = signed(key, claims)
        header = _part(json.dumps({"alg": "EdDSA", "kid": kid}).encode())
        await refused(auth, ".".join([header, *token.split(".")[1:]]))
    await refused(auth, jwt.encode(claims, key.private, "EdDSA"))


@pytest.mark.parametrize("claim", REQUIRED_CLAIMS)
async def test_a_token_without_a_required_claim_is_refused(
    auth: Auth, key: Key, claims: Claims, claim: str
) -> None:
    await refused(
        auth, signed(key, {name: value for name, value in claims.items() if name != claim})
    )


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://elsewhere.example"),
        ("iss", ["https://tradedad.local/auth"]),
        ("aud", "another"),
        ("aud", []),
        ("typ", "refresh"),
        ("typ", "Access"),
        ("roles", "admin"),
        ("sid", 7),
        ("sub", 7),
        ("exp", "never"),
        ("exp", None),
    ],
)
async def test_a_token_with_an_invalid_claim_is_refused(
    auth: Auth, key: Key, claims: Claims, claim: str, value: Any
) -> None:
    # PyJWT itself refuses to write some of these.
    header = _part(json.dumps({"alg": "EdDSA", "kid": key.kid}).encode())
    signing_input = f"{header}.{_part(json.dumps(claims | {claim: value}).encode())}"
    signature = _part(key.private.sign(signing_input.encode()))
    await refused(auth, f"{signing_input}.{signature}")


async def test_a_token_is_valid_only_between_its_times(
    auth: Auth, key: Key, claims: Claims
) -> None:
    now = claims["iat"]
    await refused(auth, signed(key, claims | {"exp": now - 6}), "token_expired")
    for early in ({"nbf": now + 60}, {"iat": now + 60}):
        await refused(auth, signed(key, claims | early))


async def test_a_token_that_was_modified_is_refused(
    auth: Auth, ann: dict[str, Any], claims: Claims
) -> None:
    header, payload, signature = ann["access_token"].split(".")
    with_role = json.dumps(claims | {"roles": ["admin"]}).encode()
    forged = _part(with_role)
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for token in (
        f"{header}.{forged}.{signature}",
        f"{header}.{payload}.{flipped}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}..{signature}",
        f"{header}.{payload}.{signature}.more",
        "not.a.token",
        "ü.ü.ü",
        "",
        " ",
    ):
        await refused(auth, token)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}, {"Authorization": "x"}],
)
async def test_a_request_without_a_token_is_refused(auth: Auth, headers: dict[str, str]) -> None:
    reply = await auth.request("GET", "/auth/me", headers=headers)
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


async def test_a_refresh_token_is_not_accepted_as_an_access_token_nor_the_other_way_round(
    auth: Auth, ann: dict[str, Any]
) -> None:
    await refused(auth, ann["refresh_token"])
    reply = await auth.refresh(ann["access_token"])
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


async def test_a_token_of_an_unknown_session_is_refused(
    auth: Auth, key: Key, claims: Claims
) -> None:
    await refused(auth, signed(key, claims | {"sid": "0" * 32}), "revoked")
    await refused(auth, signed(key, claims | {"sub": "0" * 32}), "revoked")


async def test_a_role_in_a_token_gives_no_right_that_the_account_does_not_have(
    auth: Auth, key: Key, claims: Claims
) -> None:
    reply = await auth.get("/auth/admin/users", signed(key, claims | {"roles": ["admin"]}))
    assert (reply.status, reply.body["code"]) == (403, "forbidden")
