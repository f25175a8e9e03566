"""HTTP requests for links to Upstox accounts. Pure.

They have no command key: repeated, each of them leads to the same state, except that a login can
be finished only once.
"""

from typing import Final

import msgspec

from tradedad_client.http_request import Request
from tradedad_client.link_messages import LinkPurpose

_PATH: Final = "/v1/link/upstox"


def status(purpose: LinkPurpose) -> Request:
    """Read a link."""
    return Request("GET", _of(purpose))


def begin(purpose: LinkPurpose, client_id: str | None, client_secret: str | None) -> Request:
    """Start a login. Raises ValueError if only one of id and secret is given."""
    body = {"purpose": LinkPurpose(purpose).value}
    if client_id is not None and client_secret is not None:
        body |= {"client_id": client_id, "client_secret": client_secret}
    elif (client_id, client_secret) != (None, None):
        raise ValueError("give both client_id and client_secret, or neither")
    return Request("POST", _PATH, msgspec.json.encode(body))


def finish(answer: str) -> Request:
    """Finish a login. Sent twice, it would be refused, although it may have made the link."""
    body = msgspec.json.encode({"answer": answer})
    return Request("POST", f"{_PATH}/finish", body, is_repeatable=False)


def renew(purpose: LinkPurpose) -> Request:
    """Let Upstox ask the user for a new token."""
    body = msgspec.json.encode({"purpose": LinkPurpose(purpose).value})
    return Request("POST", f"{_PATH}/request", body)


def unlink(purpose: LinkPurpose) -> Request:
    """Forget a link."""
    return Request("DELETE", _of(purpose))


def _of(purpose: LinkPurpose) -> str:
    return f"{_PATH}?purpose={LinkPurpose(purpose).value}"
