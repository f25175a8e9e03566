"""Requests have the paths, queries and bodies of the REST interface."""

from decimal import Decimal

import msgspec
import pytest

from tradedad_client import trading_requests as requests
from tradedad_client.http_request import Request
from tradedad_client.order_terms import Account, OrderChanges, Product


def test_a_key_is_one_segment_of_a_path() -> None:
    request = requests.exit_position(Account.PAPER, "NSE_INDEX|Nifty 50/x", Product.INTRADAY, "c-1")
    path, _, query = request.path.partition("?")
    assert path == "/v1/positions/NSE_INDEX%7CNifty%2050%2Fx"
    assert query == "account=paper&product=I"


@pytest.mark.parametrize("order_id", ["", ".", ".."])
def test_an_order_id_that_is_another_path_is_refused(order_id: str) -> None:
    with pytest.raises(ValueError, match="order_id must not be"):
        requests.cancel(order_id, "c-1")


def test_each_command_has_a_key_of_its_own_unless_one_is_given() -> None:
    keys = {requests.reset_paper(None).command_key for _ in range(100)}
    assert len(keys) == 100
    assert requests.reset_paper("c-1").command_key == "c-1"


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "a\n"])
def test_an_invalid_key_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(ValueError, match="command_key must be 1 to 64"):
        requests.reset_paper(key)


def test_a_modification_without_a_change_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one term"):
        requests.modify("o-1", OrderChanges(), None)
    with pytest.raises(ValueError, match="at least one term"):
        requests.preview_changes("o-1", OrderChanges())


def test_a_modification_has_only_the_terms_that_change() -> None:
    request = requests.modify("o-1", OrderChanges(price=Decimal("99.90")), "c-1")
    assert (request.method, request.path) == ("PATCH", "/v1/orders/o-1")
    assert msgspec.json.decode(request.body or b"") == {"price": "99.90"}


def test_a_preview_of_changes_is_no_command() -> None:
    request = requests.preview_changes("o-1", OrderChanges(quantity=20))
    assert request == Request("POST", "/v1/orders/o-1/preview", b'{"quantity":20}')


def test_an_unknown_account_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a valid Account"):
        requests.of_account("funds", "live")  # type: ignore[arg-type]


def test_queries_have_no_command_key() -> None:
    assert requests.orders(Account.PAPER, open_only=True, limit=5) == Request(
        "GET", "/v1/orders?account=paper&open_only=true&limit=5"
    )
    assert requests.events(7, limit=2).path == "/v1/orders/events?after=7&limit=2"
