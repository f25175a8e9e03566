"""A weaker token is good for its own calls only."""

import pytest

from services.simulator.envelope import Refusal
from services.simulator.login.scopes import check
from services.simulator.tokens import Kind

LTP = "/v3/market-quote/ltp"
PLACE = "/v3/order/place"
HOLDINGS = "/v2/portfolio/long-term-holdings"


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        (Kind.FULL, "POST", PLACE),
        (Kind.FULL, "GET", LTP),
        (Kind.ANALYTICS, "GET", LTP),
        (Kind.ANALYTICS, "GET", HOLDINGS),
        (Kind.EXTENDED, "GET", HOLDINGS),
        (Kind.SANDBOX, "POST", PLACE),
        (Kind.SANDBOX, "DELETE", "/v2/order/cancel"),
    ],
)
def test_what_a_token_is_good_for_passes(kind: Kind, method: str, path: str) -> None:
    check(kind, method, path)


@pytest.mark.parametrize(
    ("kind", "method", "path", "code"),
    [
        (Kind.ANALYTICS, "POST", PLACE, "UDAPI100067"),
        (Kind.ANALYTICS, "DELETE", "/v2/logout", "UDAPI100067"),
        (Kind.EXTENDED, "GET", LTP, "UDAPI100067"),
        (Kind.EXTENDED, "POST", PLACE, "UDAPI100067"),
        (Kind.SANDBOX, "GET", LTP, "UDAPI100050"),
    ],
)
def test_anything_else_is_refused(kind: Kind, method: str, path: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(kind, method, path)
    assert refused.value.errors[0].code == code
