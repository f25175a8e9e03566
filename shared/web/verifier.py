"""Verifies access tokens (JWT, EdDSA) with the issuer's published keys."""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
import jwt
from jwt import PyJWK, PyJWKSet

from shared.errors import TokenExpired, Unauthenticated, Unavailable
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.settings import TokenSettings

log = get_logger(__name__)

ALGORITHM: Final = "EdDSA"
ACCESS_TYPE: Final = "access"
REQUIRED_CLAIMS: Final = ("iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "typ", "roles")
LEEWAY_SECS: Final = 5
_FETCH_TIMEOUT_SECS: Final = 3.0
KEYS_MAX_AGE_SECS: Final = 300.0
"""The longest time that a verifier uses fetched keys while the issuer answers."""
# The shortest time between two fetches, however many unknown key ids are requested and whether or
# not the issuer answers.
_MIN_FETCH_INTERVAL_SECS: Final = 2.0


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


class KeySet:
    """The issuer's public keys, cached from its JWKS URL.

    Keys older than `max_age_secs` are fetched again when they are used. While the issuer does
    not answer, the cached keys stay valid.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        *,
        max_age_secs: float = KEYS_MAX_AGE_SECS,
    ) -> None:
        self._max_age_secs = max_age_secs
        self._session = session
        self._url = url
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> PyJWK:
        """The key with the id `kid`.

        Raises Unauthenticated if the issuer has no such key, and Unavailable if no key is
        cached and the issuer does not answer.
        """
        if kid not in self._keys or (self._must_fetch(kid) and not self._lock.locked()):
            async with self._lock:
                if self._must_fetch(kid):
                    await self._fetch()
        if not self._keys:
            raise Unavailable("the auth service does not answer")
        try:
            return self._keys[kid]
        except KeyError:
            raise Unauthenticated("the token is signed with an unknown key") from None

    def _must_fetch(self, kid: str) -> bool:
        now = self._clock.monotonic()
        if now - self._tried_at <= _MIN_FETCH_INTERVAL_SECS:
            return False
        return kid not in self._keys or now - self._fetched_at > self._max_age_secs

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(_FETCH_TIMEOUT_SECS):
                async with self._session.get(self._url) as response:
                    response.raise_for_status()
                    body = await response.json()
                    keys = PyJWKSet.from_dict(body if isinstance(body, dict) else {}).keys
        except (aiohttp.ClientError, TimeoutError, jwt.PyJWKSetError, ValueError) as error:
            log.warning("cannot fetch token keys", error=repr(error))
            return
        finally:
            self._tried_at = self._clock.monotonic()
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = self._tried_at


class TokenVerifier:
    """Accepts only access tokens that the configured issuer has signed."""

    def __init__(self, keys: KeySource, settings: TokenSettings) -> None:
        self._keys = keys
        self._settings = settings

    async def verify(self, token: str) -> Principal:
        """The token's principal; raises TokenExpired, Unauthenticated or Unavailable."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, UnicodeError):
            raise Unauthenticated("not a JWT") from None
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            raise Unauthenticated("the token is not from this issuer")
        key = await self._keys.find(kid)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=LEEWAY_SECS,
                options={"require": list(REQUIRED_CLAIMS)},
            )
        except jwt.ExpiredSignatureError:
            raise TokenExpired("the token has expired") from None
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(f"the token is not valid: {error}") from None
        # PyJWT does not check `typ`; a token of another type must not pass as an access token.
        if claims["typ"] != ACCESS_TYPE:
            raise Unauthenticated("not an access token")
        if not isinstance(claims["roles"], list) or not isinstance(claims["sid"], str):
            raise Unauthenticated("a claim of the token has the wrong type")
        return Principal(
            user_id=claims["sub"],
            session_id=claims["sid"],
            token_id=claims["jti"],
            roles=frozenset(str(role) for role in claims["roles"]),
            expires_at=int(claims["exp"]),
            issued_at=int(claims["iat"]),
        )
