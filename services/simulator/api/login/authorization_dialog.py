"""The OAuth authorization dialog: a page where the user allows or denies an application access."""

from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.access.application import Application, Consent
from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.user_id import DEFAULT_USER, USER_ID
from services.simulator.errors import ApiError, ErrorCode

_DECISION_PATH: Final = "/simulator/v1/login/decision"
_CALLBACK_PATH: Final = "/simulator/v1/login/callback"
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Simulated Upstox</title></head>
<body><h1>Simulated Upstox</h1>
<p>Allow <b>{client_id}</b> to act as this simulated user?</p>
<form method="post" action="{action}">
<input name="user_id" value="{user_id}" aria-label="User">
<input type="hidden" name="client_id" value="{client_id}">
<input type="hidden" name="redirect_uri" value="{redirect_uri}">
<input type="hidden" name="state" value="{state}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form></body></html>
"""


class AuthorizationDialogRoutes:
    """Serves the page, then redirects the browser to the application with a code or an error."""

    def __init__(self, application: Application, codes: OneTimeCodes[Consent]) -> None:
        self._application = application
        self._codes = codes

    def routes(self) -> list[web.RouteDef]:
        """Upstox's page, and the simulator's own calls for its buttons and as a redirect address."""
        return [
            web.get("/v2/login/authorization/dialog", self.show),
            web.post(_DECISION_PATH, self.decide),
            web.get(_CALLBACK_PATH, self.callback),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The page. Raises ApiError if a query parameter is invalid."""
        query = request.query
        client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
        self._application.check_redirect_uri(client_id, redirect_uri)
        response_type = query.get("response_type")
        if response_type != "code":
            raise ApiError(
                ErrorCode.INVALID_INPUT,
                "Invalid Input",
                path="response_type",
                value=response_type,
            )
        page = _PAGE.format(
            action=_DECISION_PATH,
            client_id=escape(client_id),
            user_id=DEFAULT_USER,
            redirect_uri=escape(redirect_uri),
            state=escape(query.get("state", "")),
        )
        return web.Response(text=page, content_type="text/html")

    async def decide(self, request: web.Request) -> web.Response:
        """Redirect to the application with a code or an error, and with its state. Raises ApiError."""
        form = await request.post()
        redirect_uri = str(form.get("redirect_uri", ""))
        self._application.check_redirect_uri(str(form.get("client_id", "")), redirect_uri)
        user_id = str(form.get("user_id", DEFAULT_USER))
        if not USER_ID.fullmatch(user_id):
            raise ApiError(ErrorCode.INVALID_INPUT, "Invalid Input", path="user_id", value=user_id)
        parameters = (
            {"code": self._codes.issue(Consent(user_id, redirect_uri))}
            if form.get("decision") == "allow"
            else {"error": "access_denied"}
        )
        if state := str(form.get("state", "")):
            parameters["state"] = state
        separator = "&" if "?" in redirect_uri else "?"
        location = f"{redirect_uri}{separator}{urlencode(parameters)}"
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": location})

    async def callback(self, request: web.Request) -> web.Response:
        """The received parameters as JSON; a redirect address for applications without a server."""
        return web.json_response(dict(request.query))
