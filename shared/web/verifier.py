"""Verifies access tokens (JWT, EdDSA) with the issuer's published keys."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import jwt
from jwt import PyJWK

from shared.errors import TokenExpired, Unauthenticated, Unavailable
from shared.runtime.clock import Clock
from shared.runtime.clock_skew import ClockSkew
from shared.runtime.settings import TokenSettings

ALGORITHM: Final = "EdDSA"
ACCESS_TYPE: Final = "access"
REQUIRED_CLAIMS: Final = ("iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "typ", "roles")
LEEWAY_SECS: Final = 5


@dataclass(frozen=True, slots=True)
class Principal:
    """The user and session that a token was issued for."""

    user_id: str
    session_id: str
    token_id: str
    roles: frozenset[str]
    expires_at: int
    """Unix seconds."""
    issued_at: int
    """Unix seconds; some revocations concern only tokens issued before a given time."""


class KeySource(Protocol):
    """Finds the public key for a token by its key id (`kid`)."""

    async def find(self, kid: str) -> PyJWK:
        """Raises Unauthenticated if the key does not exist, Unavailable if that is unknown."""
        ...


class TokenVerifier:
    """Accepts only access tokens that the configured issuer has signed.

    While `skew` is beyond its bound, a token that seems to be expired or not valid yet is not
    refused for good: the clock may be wrong, not the token.
    """

    def __init__(
        self,
        keys: KeySource,
        settings: TokenSettings,
        clock: Clock,
        skew: ClockSkew | None = None,
    ) -> None:
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._skew = skew

    @property
    def clock_fault(self) -> str | None:
        """Why the times of tokens cannot be judged; None while they can."""
        return None if self._skew is None else self._skew.fault

    async def verify(self, token: str) -> Principal:
        """The token's principal; raises TokenExpired, Unauthenticated or Unavailable."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, UnicodeError):
            raise Unauthenticated("not a JWT") from None
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            raise Unauthenticated("the token is not from this issuer")
        claims = self._decode(token, await self._keys.find(kid))
        # PyJWT does not check `typ`; a token of another type must not pass as an access token.
        if claims["typ"] != ACCESS_TYPE:
            raise Unauthenticated("not an access token")
        if not isinstance(claims["roles"], list) or not isinstance(claims["sid"], str):
            raise Unauthenticated("a claim of the token has the wrong type")
        issued_at, not_before, expires_at = (_time(claims, name) for name in ("iat", "nbf", "exp"))
        self._check_times(max(issued_at, not_before), expires_at)
        return Principal(
            user_id=claims["sub"],
            session_id=claims["sid"],
            token_id=claims["jti"],
            roles=frozenset(str(role) for role in claims["roles"]),
            expires_at=expires_at,
            issued_at=issued_at,
        )

    def _decode(self, token: str, key: PyJWK) -> dict[str, Any]:
        """The claims of a token with a valid signature; their times are not checked."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                options={
                    "require": list(REQUIRED_CLAIMS),
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(f"the token is not valid: {error}") from None
        return claims

    def _check_times(self, valid_from: int, expires_at: int) -> None:
        now = self._clock.now_ms() / 1_000
        if valid_from <= now + LEEWAY_SECS and expires_at > now - LEEWAY_SECS:
            return
        if self.clock_fault is not None:
            raise Unavailable(f"no token can be verified: {self.clock_fault}")
        if valid_from > now + LEEWAY_SECS:
            raise Unauthenticated("the token is not valid yet")
        raise TokenExpired("the token has expired")


def _time(claims: dict[str, Any], name: str) -> int:
    """A claim in Unix seconds, which may have a fraction (RFC 7519, 2)."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthenticated(f"the claim {name} of the token is not a time")
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise Unauthenticated(f"the claim {name} of the token is not a time") from None
