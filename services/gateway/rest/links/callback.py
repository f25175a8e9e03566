"""Receives the browser that comes back from Upstox's login, and finishes the link.

The browser has no access token. The state names the user, can be used once, and only the user who
has started the login was told it.
"""

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.http.access import AccessControl
from services.gateway.rest.links.callback_page import (
    HEADERS,
    declined_page,
    failed_page,
    linked_page,
)
from services.gateway.rest.links.link_client import LinkClient
from services.gateway.rest.links.operations import PATH
from shared.contracts.strict_json import decode_json
from shared.contracts.upstox_links import (
    LinkFinishRequest,
    LinkOperation,
    LinkView,
    state_user,
)
from shared.errors import InvalidField, RequestError, RetryLater, Unavailable
from shared.web.problems import read_query

CALLBACK_PATH: Final = f"{PATH}/callback"
_STATE: Final = "^([A-Za-z0-9_-]{1,64}[.][A-Za-z0-9_-]{43})?$"


class _Answer(BaseModel):
    """What Upstox has added to the redirect address. Other parameters are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Annotated[str, Field(pattern=_STATE)] = ""
    code: Annotated[str, Field(max_length=512, pattern="^[!-~]*$")] = ""
    error: Annotated[str, Field(max_length=64)] = ""


class LinkCallback:
    """Answers with a page that says in words what has happened, and repeats no parameter."""

    def __init__(self, access: AccessControl, links: LinkClient) -> None:
        self._access = access
        self._links = links

    def routes(self) -> list[web.RouteDef]:
        """The redirect address of the apps at Upstox.

        Only GET: a HEAD request, such as one for a preview of the address, must not use up the
        code.
        """
        return [web.get(CALLBACK_PATH, self.finish, allow_head=False)]

    async def finish(self, request: web.Request) -> web.Response:
        try:
            self._access.admit_anonymous(request)
            answer = read_query(request, _Answer)
            if answer.error:
                return _response(declined_page(answer.error), HTTPStatus.BAD_REQUEST)
            return _response(linked_page(await self._finish(answer)))
        except RequestError as error:
            response = _response(failed_page(error), error.status)
            if isinstance(error, RetryLater):
                response.headers[hdrs.RETRY_AFTER] = str(error.retry_after_secs)
            return response

    async def _finish(self, answer: _Answer) -> LinkView:
        """The new link. Raises InvalidField, or what the trading service answers."""
        if not answer.code:
            raise InvalidField("code: is missing", field="code")
        user_id = state_user(answer.state)
        finish = LinkFinishRequest(user_id=user_id, state=answer.state, code=answer.code)
        body = await self._links.call(LinkOperation.LINK_FINISH, finish)
        try:
            return decode_json(body, LinkView)
        except msgspec.DecodeError:
            raise Unavailable("the reply of the trading service cannot be decoded") from None


def _response(page: str, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(text=page, status=status, content_type="text/html", headers=HEADERS)
