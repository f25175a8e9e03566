"""Builds the responses of the handlers."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from services.auth.core.sessions import SessionTokens
from services.auth.http import cookies
from services.auth.http.schemas import Tokens

# RFC 6749, section 5.1: a response with a token must not be cached.
_PRIVATE_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_response(body: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return `body` as JSON, without the fields that are None."""
    text = body.model_dump_json(exclude_none=True)
    return web.json_response(text=text, status=status, headers=_PRIVATE_HEADERS)


def no_content() -> web.Response:
    """Return an empty response with status 204."""
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=_PRIVATE_HEADERS)


def tokens_response(
    tokens: SessionTokens, now: datetime, *, device_token: str | None = None
) -> web.Response:
    """Return new tokens; the refresh token of a browser session goes into its cookie."""
    response = json_response(Tokens.of(tokens, device_token=device_token))
    if tokens.session.by_cookie:
        cookies.set_refresh(response, tokens.refresh_token, now, tokens.session.ends_at)
    return response


def clear_refresh_cookie(request: web.Request, response: web.Response) -> web.Response:
    """Delete the refresh token's cookie if the request has one; returns `response`."""
    if cookies.REFRESH in request.cookies:
        cookies.clear_refresh(response)
    return response
