"""Reads the access token of a request."""

from aiohttp import hdrs, web

from shared.errors import Unauthenticated


def bearer_token(request: web.Request) -> str:
    """The token of the Authorization header; raises Unauthenticated if there is none."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send the access token as `Authorization: Bearer <token>`")
    return token.strip()
