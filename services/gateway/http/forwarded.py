"""How a request looks to who sent it, whatever proxies stand between."""

from collections.abc import Collection

from aiohttp import web

from shared.web.addresses import Network, client_address, is_trusted


class ForwardedHeaders:
    """Believes what proxies of ours say, and nobody else."""

    def __init__(self, trusted_proxies: Collection[Network]) -> None:
        self._trusted = trusted_proxies

    def address(self, request: web.Request) -> str:
        """Where it comes from."""
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return client_address(request.remote, forwarded, self._trusted)

    def scheme(self, request: web.Request) -> str:
        """`http` or `https`."""
        return self._told(request, "X-Forwarded-Proto") or request.scheme

    def host(self, request: web.Request) -> str:
        """Host and port that were asked for."""
        return self._told(request, "X-Forwarded-Host") or request.host

    def _told(self, request: web.Request, header: str) -> str | None:
        if not is_trusted(request.remote, self._trusted):
            return None
        return request.headers.get(header)
