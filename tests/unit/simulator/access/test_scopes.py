"""Each kind of token permits its own requests only."""

import pytest

from services.simulator.access.scopes import check_scope
from services.simulator.access.tokens import TokenKind
from services.simulator.errors import ApiError

LTP = "/v3/market-quote/ltp"
PLACE = "/v3/order/place"
HOLDINGS = "/v2/portfolio/long-term-holdings"


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        (TokenKind.FULL, "POST", PLACE),
        (TokenKind.FULL, "GET", LTP),
        (TokenKind.ANALYTICS, "GET", LTP),
        (TokenKind.ANALYTICS, "GET", HOLDINGS),
        (TokenKind.EXTENDED, "GET", HOLDINGS),
        (TokenKind.SANDBOX, "POST", PLACE),
        (TokenKind.SANDBOX, "DELETE", "/v2/order/cancel"),
    ],
)
def test_a_request_within_the_scope_passes(kind: TokenKind, method: str, path: str) -> None:
    check_scope(kind, method, path)


@pytest.mark.parametrize(
    ("kind", "method", "path", "code"),
    [
        (TokenKind.ANALYTICS, "POST", PLACE, "UDAPI100067"),
        (TokenKind.ANALYTICS, "DELETE", "/v2/logout", "UDAPI100067"),
        (TokenKind.EXTENDED, "GET", LTP, "UDAPI100067"),
        (TokenKind.EXTENDED, "POST", PLACE, "UDAPI100067"),
        (TokenKind.SANDBOX, "GET", LTP, "UDAPI100050"),
    ],
)
def test_a_request_outside_the_scope_is_refused(
    kind: TokenKind, method: str, path: str, code: str
) -> None:
    with pytest.raises(ApiError) as error:
        check_scope(kind, method, path)
    assert error.value.code == code
