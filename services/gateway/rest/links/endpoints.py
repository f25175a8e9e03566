"""The request handlers of the operations on links."""

from aiohttp import web

from services.gateway.http.access import AccessControl
from services.gateway.rest.links import operations
from services.gateway.rest.links.inputs import LinkParameters, LoginEnd, NewLogin, Renewal
from services.gateway.rest.links.link_client import LinkClient, LinkRequest
from services.gateway.rest.reply import NO_STORE, reply
from shared.contracts.roles import ADMIN_ROLE
from shared.contracts.upstox_links import LinkOperation, LinkPurpose
from shared.errors import Forbidden
from shared.web import openapi
from shared.web.problems import Handler, read_body, read_query
from shared.web.verifier import Principal


class LinkEndpoints:
    """The operations on links with their handlers. The user is always that of the access token."""

    def __init__(self, access: AccessControl, links: LinkClient) -> None:
        self._access = access
        self._links = links

    def table(self) -> list[tuple[openapi.Operation, Handler]]:
        """The handler of each operation."""
        return [
            (operations.STATUS, self.status),
            (operations.BEGIN, self.begin),
            (operations.FINISH, self.finish),
            (operations.UNLINK, self.unlink),
            (operations.REQUEST, self.request),
        ]

    async def status(self, request: web.Request) -> web.Response:
        principal = await self._access.authenticate(request)
        parameters = read_query(request, LinkParameters)
        user_id = _permitted(principal, parameters.purpose)
        return await self._call(request, LinkOperation.LINK_STATUS, parameters.status(user_id))

    async def begin(self, request: web.Request) -> web.Response:
        principal = await self._access.authenticate(request)
        login = await read_body(request, NewLogin)
        user_id = _permitted(principal, login.purpose)
        return await self._call(request, LinkOperation.LINK_BEGIN, login.request(user_id))

    async def finish(self, request: web.Request) -> web.Response:
        principal = await self._access.authenticate(request)
        login = await read_body(request, LoginEnd)
        message = login.request(principal.user_id, is_admin=ADMIN_ROLE in principal.roles)
        return await self._call(request, LinkOperation.LINK_FINISH, message)

    async def unlink(self, request: web.Request) -> web.Response:
        principal = await self._access.authenticate(request)
        parameters = read_query(request, LinkParameters)
        user_id = _permitted(principal, parameters.purpose)
        return await self._call(request, LinkOperation.UNLINK, parameters.unlink(user_id))

    async def request(self, request: web.Request) -> web.Response:
        principal = await self._access.authenticate(request)
        renewal = await read_body(request, Renewal)
        user_id = _permitted(principal, renewal.purpose)
        return await self._call(request, LinkOperation.LINK_REQUEST, renewal.request(user_id))

    async def _call(
        self, request: web.Request, operation: LinkOperation, message: LinkRequest
    ) -> web.Response:
        return await reply(request, await self._links.call(operation, message), NO_STORE)


def _permitted(principal: Principal, purpose: LinkPurpose) -> str:
    """The id of a user who may use links with this purpose. Raises Forbidden for others."""
    if purpose is LinkPurpose.FEED and ADMIN_ROLE not in principal.roles:
        raise Forbidden("only administrators may link the account of the market feed")
    return principal.user_id
