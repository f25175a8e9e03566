"""The operations on links to Upstox accounts: parameters, responses and errors."""

from typing import Any, Final

from services.gateway.rest.base_responses import BEARER, LIMITS, TOKEN_ERRORS
from services.gateway.rest.links import schemas
from services.gateway.rest.links.inputs import LinkParameters, LoginEnd, NewLogin, Renewal
from shared.errors import (
    BadMessage,
    Forbidden,
    InvalidField,
    LinkRefused,
    LinkStateInvalid,
    LinkTaken,
    NotFound,
    Overloaded,
    TimedOut,
    TooLarge,
    UnsupportedEncoding,
)
from shared.web.openapi import Operation

PATH: Final = "/v1/link/upstox"

_ERRORS: Final = (*TOKEN_ERRORS, Forbidden, InvalidField, Overloaded, TimedOut)
_BODY: Final = (BadMessage, TooLarge, UnsupportedEncoding)
_COMMON: Final[dict[str, Any]] = {
    "tags": ["links"], "security": (BEARER,), "problem": schemas.LinkProblem, "headers": LIMITS,
}  # fmt: skip

STATUS: Final = Operation(
    method="GET", path=PATH, name="upstoxLink",
    summary="The state of a link to an Upstox account.",
    query=LinkParameters, responses={200: schemas.LinkView}, errors=_ERRORS, **_COMMON,
)  # fmt: skip
BEGIN: Final = Operation(
    method="POST", path=PATH, name="linkUpstox",
    summary="Start a login at Upstox.",
    body=NewLogin, responses={200: schemas.LinkBeginReply},
    errors=(*_ERRORS, *_BODY, LinkRefused), **_COMMON,
)  # fmt: skip
FINISH: Final = Operation(
    method="POST", path=f"{PATH}/finish", name="finishUpstoxLink",
    summary="Finish a login at Upstox that the same user has started: make the link.",
    body=LoginEnd, responses={200: schemas.LinkView},
    errors=(*_ERRORS, *_BODY, LinkStateInvalid, LinkRefused, LinkTaken), **_COMMON,
)  # fmt: skip
UNLINK: Final = Operation(
    method="DELETE", path=PATH, name="unlinkUpstox",
    summary="Log out at Upstox and forget the link.",
    query=LinkParameters, responses={200: schemas.LinkView}, errors=_ERRORS, **_COMMON,
)  # fmt: skip
REQUEST: Final = Operation(
    method="POST", path=f"{PATH}/request", name="requestUpstoxToken",
    summary="Let Upstox ask the user for a new token, in its app or by WhatsApp.",
    body=Renewal, responses={200: schemas.LinkView},
    errors=(*_ERRORS, *_BODY, NotFound, LinkRefused), **_COMMON,
)  # fmt: skip

ALL: Final = (STATUS, BEGIN, FINISH, UNLINK, REQUEST)
