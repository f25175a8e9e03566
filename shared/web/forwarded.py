"""The X-Forwarded-* headers of trusted reverse proxies."""

from collections.abc import Collection

from aiohttp import web

from shared.web.addresses import Network, client_address, is_trusted


class ForwardedHeaders:
    """Reads the client's view of a request; ignores the headers of peers that are not trusted."""

    def __init__(self, trusted_proxies: Collection[Network]) -> None:
        self._trusted = trusted_proxies

    def address(self, request: web.Request) -> str:
        """The client's address (X-Forwarded-For)."""
        forwarded_for = request.headers.getall("X-Forwarded-For", [])
        return client_address(request.remote, forwarded_for, self._trusted)

    def scheme(self, request: web.Request) -> str:
        """`http` or `https`, as the client used it (X-Forwarded-Proto)."""
        return self._trusted_header(request, "X-Forwarded-Proto") or request.scheme

    def host(self, request: web.Request) -> str:
        """The host, with its port if given, that the client requested (X-Forwarded-Host)."""
        return self._trusted_header(request, "X-Forwarded-Host") or request.host

    def _trusted_header(self, request: web.Request, name: str) -> str | None:
        if not is_trusted(request.remote, self._trusted):
            return None
        return request.headers.get(name)
