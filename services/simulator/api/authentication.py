"""Authentication of requests by their bearer token."""

from aiohttp import web

from services.simulator.access.tokens import Grant, TokenStore
from services.simulator.errors import ApiError, ErrorCode


def bearer_token(request: web.Request) -> str:
    """The bearer token of a request, valid or not; empty if there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def grant_of(request: web.Request, tokens: TokenStore) -> Grant | None:
    """The grant of the request's token; None if the token is missing or invalid."""
    return tokens.find(bearer_token(request))


def authenticate(request: web.Request, tokens: TokenStore) -> Grant:
    """The grant of the request's token.

    Raises ApiError (401 UDAPI100050) if the token is missing or invalid.
    """
    grant = grant_of(request, tokens)
    if grant is None:
        raise ApiError(ErrorCode.INVALID_TOKEN, "Invalid token used to access API")
    return grant
