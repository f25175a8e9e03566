"""Signs access tokens; the sole holder of the signing key."""

from collections.abc import Sequence
from uuid import uuid4

import jwt

from services.auth.accounts import AccessToken
from services.auth.keyring import Keyring
from shared.clock import Clock
from shared.settings import TokenSettings
from shared.verifier import ACCESS_TYPE, ALGORITHM


class Issuer:
    """Issues what `shared.verifier.TokenVerifier` accepts, for `ttl_secs`."""

    def __init__(
        self, keyring: Keyring, settings: TokenSettings, clock: Clock, *, ttl_secs: int
    ) -> None:
        self._kid = keyring.signing_kid
        self._key = keyring.signing_key
        self._settings = settings
        self._clock = clock
        self._ttl_secs = ttl_secs

    def issue(self, user_id: str, session_id: str, roles: Sequence[str]) -> AccessToken:
        """A token for this session, valid from the current second."""
        now = self._clock.now_ms() // 1_000
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": user_id,
            "sid": session_id,
            "jti": uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + self._ttl_secs,
            "typ": ACCESS_TYPE,
            "roles": list(roles),
        }
        headers = {"kid": self._kid, "typ": "JWT"}
        token = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers)
        return AccessToken(token, self._ttl_secs)
