"""Signs access tokens as JWTs (RFC 7519)."""

from collections.abc import Callable, Sequence
from uuid import uuid4

import jwt

from services.auth.core.entities import AccessToken, LoginSession
from services.auth.signing.keyring import Key
from shared.runtime.clock import Clock
from shared.runtime.settings import TokenSettings
from shared.web.verifier import ACCESS_TYPE, ALGORITHM


class JwtIssuer:
    """Issues access tokens that `shared.web.verifier.TokenVerifier` accepts for `ttl_secs`.

    `signing_key` returns the key to sign with at the moment of the call.
    """

    def __init__(
        self,
        signing_key: Callable[[], Key],
        settings: TokenSettings,
        clock: Clock,
        *,
        ttl_secs: int,
    ) -> None:
        self._signing_key = signing_key
        self._settings = settings
        self._clock = clock
        self._ttl_secs = ttl_secs

    def issue(self, session: LoginSession, roles: Sequence[str]) -> AccessToken:
        """Return a token that is valid from the current second and at most until `ends_at`."""
        now = self._clock.now_ms() // 1_000
        ttl_secs = min(self._ttl_secs, int(session.ends_at.timestamp()) - now)
        key = self._signing_key()
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": session.user_id,
            "sid": session.session_id,
            "jti": uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + ttl_secs,
            "typ": ACCESS_TYPE,
            "roles": list(roles),
        }
        headers = {"kid": key.kid, "typ": "JWT"}
        token = jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)
        return AccessToken(token, ttl_secs)
