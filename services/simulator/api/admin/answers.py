"""JSON answers of the simulator's own calls, which have no envelope."""

import msgspec
from aiohttp import web


def json_answer(value: object) -> web.Response:
    """`value` as JSON."""
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
