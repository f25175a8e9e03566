"""The requests that each kind of access token permits."""

from typing import Final

from services.simulator.access.tokens import TokenKind
from services.simulator.errors import ApiError, ErrorCode

_EXTENDED_READS: Final = frozenset(
    {
        "/v2/order/retrieve-all",
        "/v2/order/history",
        "/v2/order/details",
        "/v2/order/trades",
        "/v2/order/trades/get-trades-for-day",
        "/v2/portfolio/long-term-holdings",
        "/v2/portfolio/short-term-positions",
        "/v2/user/profile",
    }
)
_SANDBOX_PATHS: Final = frozenset(
    {
        *(f"/{v}/order/{action}" for v in ("v2", "v3") for action in ("place", "modify", "cancel")),
        "/v2/order/multi/place",
    }
)


def check_scope(kind: TokenKind, method: str, path: str) -> None:
    """Raise ApiError if a token of this kind does not permit the request.

    The code is UDAPI100050 (401) for a sandbox token, UDAPI100067 (403) for the others.
    """
    match kind:
        case TokenKind.FULL:
            return
        case TokenKind.ANALYTICS if method == "GET":
            return
        case TokenKind.EXTENDED if method == "GET" and path in _EXTENDED_READS:
            return
        case TokenKind.SANDBOX:
            if path not in _SANDBOX_PATHS:
                raise ApiError(ErrorCode.INVALID_TOKEN, "Invalid token used to access API")
            return
    raise ApiError(ErrorCode.NOT_PERMITTED, "The API you are trying to access is not permitted")
