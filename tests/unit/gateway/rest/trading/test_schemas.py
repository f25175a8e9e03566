"""The response schemas have the fields that the trading service sends."""

import msgspec
import pytest
from pydantic import BaseModel

from services.gateway.rest.trading import schemas
from shared.contracts import trading_replies
from tests.support.gateway.fake_trading import REPLIES
from tests.support.schema_comparison import check_same_fields

NAMES = [
    "OrderView", "OrderDetail", "Orders", "OrdersReply", "Trade", "Trades", "PositionView",
    "Positions", "Holding", "Holdings", "Funds", "ActiveSwitch", "Limits", "KillSwitch", "ChargesView",
    "RuleResult", "Preview", "UserEvent", "Events",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_has_the_fields_and_defaults_of_its_message(name: str) -> None:
    check_same_fields(getattr(schemas, name), getattr(trading_replies, name))


def test_every_encoded_reply_is_valid_by_its_schema() -> None:
    for reply in REPLIES.values():
        schema: type[BaseModel] = getattr(schemas, type(reply).__name__)
        schema.model_validate_json(msgspec.json.encode(reply))
