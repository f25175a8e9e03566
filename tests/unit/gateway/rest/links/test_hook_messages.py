"""Posts of Upstox become hints that the contract of the bus accepts; other fields are ignored."""

import json
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from services.gateway.rest.links.hook_messages import ApprovedToken, OrderUpdate
from shared.contracts.upstox_links import HintKind, LinkHint

ORDER: dict[str, Any] = {
    "update_type": "order", "user_id": "7BB2AA", "userId": "7BB2AA", "order_id": "250101000000001",
    "status": "complete", "average_price": 1400.05, "tag": "o-1",
}  # fmt: skip
TOKEN: dict[str, Any] = {
    "client_id": "app-1", "user_id": "7BB2AA", "access_token": "abc.def-_~", "token_type": "Bearer",
    "expires_at": "1731448800000", "issued_at": "1731412800000", "message_type": "access_token",
}  # fmt: skip


def on_the_bus(hint: LinkHint) -> LinkHint:
    return msgspec.json.decode(msgspec.json.encode(hint), type=LinkHint)


def test_an_order_update_names_the_order_only() -> None:
    hint = OrderUpdate.model_validate_json(json.dumps(ORDER)).hint("user-1")
    assert on_the_bus(hint) == LinkHint(
        user_id="user-1", kind=HintKind.ORDER, upstox_user_id="7BB2AA", order_id="250101000000001"
    )


@pytest.mark.parametrize(
    "update", [{}, {"gtt_order_id": "GTT-1"}, {"order_id": "", "user_id": ""}, {"order_id": None}],
    ids=str,
)  # fmt: skip
def test_an_update_without_an_order_is_a_hint_all_the_same(update: dict[str, Any]) -> None:
    hint = OrderUpdate.model_validate_json(json.dumps(update)).hint("user-1")
    assert on_the_bus(hint) == LinkHint(user_id="user-1", kind=HintKind.ORDER)


def test_an_approved_token_is_passed_on_and_not_in_the_repr() -> None:
    message = ApprovedToken.model_validate_json(json.dumps(TOKEN))
    hint = message.hint("user-1")
    assert on_the_bus(hint) == LinkHint(
        user_id="user-1", kind=HintKind.TOKEN, client_id="app-1", upstox_user_id="7BB2AA",
        access_token="abc.def-_~",
    )  # fmt: skip
    assert "abc.def" not in repr(message) + repr(hint)


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": ""}, {"access_token": "x" * 4_097}, {"access_token": "a b"},
        {"access_token": None}, {"access_token": "a\n"}, {"message_type": "other"},
        {"message_type": None}, {"client_id": "x" * 65}, {"user_id": "a/b"}, {"user_id": 5},
    ],
    ids=lambda fields: str(fields)[:40],
)  # fmt: skip
def test_a_post_without_a_usable_token_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ApprovedToken.model_validate_json(json.dumps(TOKEN | fields))


@pytest.mark.parametrize("order_id", ["../x", "a b", "x" * 65, 5, ["x"], {"$ne": 1}])
def test_an_order_id_that_is_none_is_refused(order_id: object) -> None:
    with pytest.raises(ValidationError):
        OrderUpdate.model_validate_json(json.dumps(ORDER | {"order_id": order_id}))
