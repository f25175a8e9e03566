"""Issues access tokens and serves their public keys, as auth does."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from shared.runtime.settings import TokenSettings
from shared.runtime.site import serve


class TokenIssuer:
    """Signs any claims; valid ones by default."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.kid = "test-key"
        self.settings = TokenSettings()
        self.fetches = 0

    def token(self, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; a claim that is given as None is omitted."""
        now = int(time.time())
        good = {
            "iss": self.settings.issuer,
            "aud": self.settings.audience,
            "sub": "user-1",
            "sid": "session-1",
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "typ": "access",
            "roles": [],
        } | claims
        kept = {name: value for name, value in good.items() if value is not None}
        return jwt.encode(
            kept, self.key, algorithm="EdDSA", headers={"kid": self.kid} | (headers or {})
        )

    def jwks(self) -> dict[str, Any]:
        """The public key, as a JWK set."""
        public = OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": self.kid, "use": "sig", "alg": "EdDSA"}]}


@asynccontextmanager
async def serve_issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer whose public keys are served at `settings.jwks_url`."""
    issuer = TokenIssuer()

    async def jwks(_: web.Request) -> web.Response:
        issuer.fetches += 1
        return web.json_response(issuer.jwks())

    site = web.Application()
    site.add_routes([web.get("/jwks.json", jwks)])
    async with serve(site, "127.0.0.1", 0) as port:
        issuer.settings = TokenSettings.model_validate(
            {"jwks_url": f"http://127.0.0.1:{port}/jwks.json"}
        )
        yield issuer
