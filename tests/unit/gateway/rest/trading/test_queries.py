"""Parameters of orders and accounts, and the requests that they become."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.gateway.rest.trading.queries import (
    AccountParameters,
    EventsParameters,
    OrderPath,
    OrdersParameters,
    PositionParameters,
    PositionPath,
    TradesParameters,
)
from shared.contracts.order_terms import Account, Product
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    EventsQuery,
    ExitRequest,
    OrdersQuery,
)

KEY = "NSE_EQ|INE002A01018"
PAPER = Account.PAPER


def test_the_account_becomes_a_query_a_command_or_an_exit_of_all() -> None:
    account = AccountParameters(account=PAPER)
    assert account.query("u") == AccountQuery(user_id="u", account=PAPER)
    assert account.command("u", "c") == AccountCommand(user_id="u", command_key="c", account=PAPER)
    assert account.exit_all("u", "c") == ExitRequest(user_id="u", command_key="c", account=PAPER)


def test_a_position_is_closed_by_key_and_product() -> None:
    position = PositionParameters(account=PAPER, product=Product.INTRADAY)
    assert position.exit_one(KEY, "u", "c") == ExitRequest(
        user_id="u", command_key="c", account=PAPER, key=KEY, product=Product.INTRADAY
    )


def test_pages_have_the_greatest_limit_unless_one_is_given() -> None:
    orders = OrdersParameters.model_validate({"account": "paper", "open_only": "true"})
    assert orders.page("u") == OrdersQuery(user_id="u", account=PAPER, open_only=True)
    trades = TradesParameters.model_validate({"account": "paper", "limit": "3"})
    assert trades.page("u") == OrdersQuery(user_id="u", account=PAPER, limit=3)
    assert EventsParameters().request("u") == EventsQuery(user_id="u")
    events = EventsParameters.model_validate({"after": str(2**53 - 1), "limit": "1"})
    assert events.request("u") == EventsQuery(user_id="u", after=2**53 - 1, limit=1)


BAD: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (AccountParameters, {}, "account"),
    (AccountParameters, {"account": ""}, "account"),
    (AccountParameters, {"account": "PAPER"}, "account"),
    (AccountParameters, {"account": "paper", "user_id": "u"}, "user_id"),
    (PositionParameters, {"account": "paper"}, "product"),
    (OrdersParameters, {"account": "paper", "open_only": "1"}, "open_only"),
    (OrdersParameters, {"account": "paper", "open_only": "yes"}, "open_only"),
    (OrdersParameters, {"account": "paper", "limit": "0"}, "limit"),
    (EventsParameters, {"after": "-1"}, "after"),
    (EventsParameters, {"after": str(2**53)}, "after"),
    (EventsParameters, {"limit": "201"}, "limit"),
    (OrderPath, {"order_id": "x" * 65}, "order_id"),
    (OrderPath, {"order_id": "a/b"}, "order_id"),
    (OrderPath, {"order_id": "a\n"}, "order_id"),
    (PositionPath, {"key": "RELIANCE"}, "key"),
    (PositionPath, {"key": "A|" + "x" * 127}, "key"),
]


@pytest.mark.parametrize(("model", "parameters", "field"), BAD)
def test_an_invalid_parameter_is_refused(
    model: type[BaseModel], parameters: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(parameters)
    assert caught.value.errors()[0]["loc"] == (field,)
