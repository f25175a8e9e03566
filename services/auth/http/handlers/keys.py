"""HTTP handler of the public signing keys (JWKS)."""

import json
from typing import Final, Protocol

from aiohttp import web

from services.auth.http import operations
from services.auth.http.routes import Route

_HEADERS: Final = {"Cache-Control": "public, max-age=300"}


class PublishedKeys(Protocol):
    """The public keys to publish."""

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the JSON Web Key Set to publish now (RFC 7517)."""
        ...


class KeyHandlers:
    """Handles the operation of the tag `keys`."""

    def __init__(self, keys: PublishedKeys) -> None:
        self._keys = keys

    def routes(self) -> list[Route]:
        """The operation with its handler."""
        return [(operations.JWKS, self.jwks)]

    async def jwks(self, _: web.Request) -> web.Response:
        return web.json_response(text=json.dumps(self._keys.jwks()), headers=_HEADERS)
