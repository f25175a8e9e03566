"""The routes below /v1: each operation with its handler, and the OpenAPI document."""

from collections.abc import Iterable, Sequence
from typing import Final

from aiohttp import hdrs, web

from services.gateway.http.access import AccessControl
from services.gateway.rest import operations
from services.gateway.rest.reply import reply
from shared.web.openapi import Operation
from shared.web.problems import Handler

_PUBLIC: Final = "public, max-age=300"


class RestRoutes:
    """The routes of operations with their handlers.

    `undocumented` are routes that no program of a user calls; the OpenAPI document omits them.
    """

    def __init__(
        self,
        access: AccessControl,
        handlers: Iterable[tuple[Operation, Handler]],
        undocumented: Iterable[web.RouteDef] = (),
    ) -> None:
        self._access = access
        self._handlers = list(handlers)
        self._undocumented = list(undocumented)
        self._openapi = operations.openapi().encode()

    async def openapi(self, request: web.Request) -> web.Response:
        """The OpenAPI document."""
        self._access.admit_anonymous(request)
        return await reply(request, self._openapi, _PUBLIC)

    def routes(self) -> list[web.RouteDef]:
        """The routes of all operations.

        A path without parameters answers all its methods: otherwise `DELETE /v1/orders/events`
        would be the order with the id `events`.
        """
        by_path: dict[str, list[tuple[str, Handler]]] = {
            "/v1/openapi.json": [(hdrs.METH_GET, self.openapi)]
        }
        for operation, handler in self._handlers:
            by_path.setdefault(operation.path, []).append((operation.method, handler))
        routes = [*self._undocumented]
        for path, handlers in by_path.items():
            routes += [web.route(method, path, handler) for method, handler in handlers]
            if "{" not in path:
                refuse = _method_not_allowed([method for method, _ in handlers])
                routes.append(web.route(hdrs.METH_ANY, path, refuse))
        return routes


def _method_not_allowed(methods: Sequence[str]) -> Handler:
    allowed = {*methods, hdrs.METH_HEAD} if hdrs.METH_GET in methods else set(methods)

    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed)

    return refuse
