"""Upstox's JSON envelopes of answers and errors."""

import json
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.errors import ApiError

UPSTOX_PATHS: Final = ("/v2/", "/v3/")


def success(data: Any, *, status: str = "success", **more: Any) -> web.Response:
    """``{"status": "success", "data": ...}``; `more` are fields beside `data`."""
    return web.json_response({"status": status, "data": data, **more})


def failure(error: ApiError, status: HTTPStatus | None = None) -> web.Response:
    """``{"status": "error", "errors": [...]}``; `status` None means that of the error's code."""
    body = json.dumps({"status": "error", "errors": [error.body()]})
    return web.Response(
        status=error.status if status is None else status,
        text=body,
        content_type="application/json",
    )
