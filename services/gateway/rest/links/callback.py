"""Receives the browser that comes back from Upstox's login, and shows the text that finishes it.

It changes nothing. The browser has no access token, so it may be that of another person than the
user who has begun the login: only a request with the token of that user finishes it.
"""

from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.http.access import AccessControl
from services.gateway.rest.links.answer_text import login_answer, to_text
from services.gateway.rest.links.callback_page import (
    HEADERS,
    answer_page,
    declined_page,
    failed_page,
)
from services.gateway.rest.links.operations import PATH
from shared.contracts.upstox_links import MAX_CODE_CHARS, MAX_STATE_CHARS
from shared.errors import RequestError, RetryLater
from shared.web.problems import read_query

CALLBACK_PATH: Final = f"{PATH}/callback"


class _Answer(BaseModel):
    """Query parameters of Upstox's redirect. Other parameters are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Annotated[str, Field(max_length=MAX_STATE_CHARS)] = ""
    code: Annotated[str, Field(max_length=MAX_CODE_CHARS)] = ""
    error: Annotated[str, Field(max_length=64)] = ""


class LinkCallback:
    """Answers with a page: the text to copy, or in words what went wrong."""

    def __init__(self, access: AccessControl) -> None:
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        """The redirect address of the apps at Upstox."""
        return [web.get(CALLBACK_PATH, self.show)]

    async def show(self, request: web.Request) -> web.Response:
        try:
            self._access.admit_anonymous(request)
            answer = read_query(request, _Answer)
            if answer.error:
                return _response(declined_page(answer.error), HTTPStatus.BAD_REQUEST)
            text = to_text(login_answer(answer.state, answer.code))
            return _response(answer_page(text), HTTPStatus.OK)
        except RequestError as error:
            response = _response(failed_page(error), error.status)
            if isinstance(error, RetryLater):
                response.headers[hdrs.RETRY_AFTER] = str(error.retry_after_secs)
            return response


def _response(page: str, status: int) -> web.Response:
    return web.Response(text=page, status=status, content_type="text/html", headers=HEADERS)
