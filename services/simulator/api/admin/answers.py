"""JSON answers of the simulator's own calls, which have no envelope."""

from http import HTTPStatus

import msgspec
from aiohttp import web


def json_answer(value: object, *, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """`value` as JSON."""
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, content_type="application/json")
