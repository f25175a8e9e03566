"""The page where the user allows an application to act for them."""

from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.envelope import INVALID_INPUT, refuse
from services.simulator.login.application import Application
from services.simulator.login.codes import AuthorizationCodes

_DECISION_PATH: Final = "/simulator/v1/login/decision"
_CALLBACK_PATH: Final = "/simulator/v1/login/callback"
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Simulated Upstox</title></head>
<body><h1>Simulated Upstox</h1>
<p>Allow <b>{client_id}</b> to act as the simulated user?</p>
<form method="post" action="{action}">
<input type="hidden" name="client_id" value="{client_id}">
<input type="hidden" name="redirect_uri" value="{redirect_uri}">
<input type="hidden" name="state" value="{state}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form></body></html>
"""


class Dialog:
    """Shows the page, then sends the browser back with a code or with a refusal."""

    def __init__(self, application: Application, codes: AuthorizationCodes) -> None:
        self._application = application
        self._codes = codes

    def routes(self) -> list[web.RouteDef]:
        """Upstox's address of the page, ours of its two buttons, and a place to end up at."""
        return [
            web.get("/v2/login/authorization/dialog", self.show),
            web.post(_DECISION_PATH, self.decide),
            web.get(_CALLBACK_PATH, self.call_back),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The page. Raises Refusal if the address that led here is not well made."""
        query = request.query
        client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
        self._application.check_address(client_id, redirect_uri)
        response_type = query.get("response_type")
        if response_type != "code":
            raise refuse(
                HTTPStatus.BAD_REQUEST,
                INVALID_INPUT,
                "Invalid Input",
                path="response_type",
                value=response_type,
            )
        page = _PAGE.format(
            action=_DECISION_PATH,
            client_id=escape(client_id),
            redirect_uri=escape(redirect_uri),
            state=escape(query.get("state", "")),
        )
        return web.Response(text=page, content_type="text/html")

    async def decide(self, request: web.Request) -> web.Response:
        """What a button does: back to the application, with the state it sent."""
        form = await request.post()
        redirect_uri = str(form.get("redirect_uri", ""))
        self._application.check_address(str(form.get("client_id", "")), redirect_uri)
        answer = (
            {"code": self._codes.issue(redirect_uri)}
            if form.get("decision") == "allow"
            else {"error": "access_denied"}
        )
        if state := str(form.get("state", "")):
            answer["state"] = state
        mark = "&" if "?" in redirect_uri else "?"
        location = f"{redirect_uri}{mark}{urlencode(answer)}"
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": location})

    async def call_back(self, request: web.Request) -> web.Response:
        """What an application would be told; stands in for one that has no address."""
        return web.json_response(dict(request.query))
