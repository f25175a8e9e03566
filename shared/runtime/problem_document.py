"""Error responses as problem+json (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from shared.errors import Code


def problem(
    code: Code,
    status: int,
    detail: str,
    *,
    field: str | None = None,
    retry_after: int | None = None,
    members: Mapping[str, str] | None = None,
) -> web.Response:
    """An error response; `retry_after` is in seconds, None for no Retry-After header.

    `members` are further members of the document.
    """
    body: dict[str, object] = {"code": code.value, "status": status, "detail": detail}
    if field is not None:
        body["field"] = field
    body |= members or {}
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers=headers,
    )
