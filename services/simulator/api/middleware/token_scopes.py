"""Refuses requests that the scope of their token does not permit."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.simulator.access.scopes import check_scope
from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import grant_of


def token_scopes(tokens: TokenStore) -> Middleware:
    """The middleware; requests without a valid token pass, their handlers authenticate them."""

    @web.middleware
    async def check_token_scope(request: web.Request, handler: Handler) -> web.StreamResponse:
        grant = grant_of(request, tokens)
        if grant is not None:
            check_scope(grant.kind, request.method, request.path)
        return await handler(request)

    return check_token_scope
