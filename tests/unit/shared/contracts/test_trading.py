"""Requests of trading: partitions never move, and wrong fields are refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.order_terms import Account, OrderType, Product, Side
from shared.contracts.trading import (
    MAX_PARTITIONS,
    Operation,
    OrderRequest,
    partition_of,
    slot_of,
    trading_subject,
)


def test_the_slot_of_a_user_is_the_same_in_every_version() -> None:
    assert [slot_of(user) for user in ("user-1", "user-2", "日本")] == [392, 968, 826]


@given(st.text(), st.integers(1, MAX_PARTITIONS))
def test_a_user_belongs_to_one_of_the_partitions(user_id: str, partitions: int) -> None:
    assert 0 <= partition_of(user_id, partitions) < partitions
    assert partition_of(user_id, 1) == 0


def test_the_subject_names_partition_and_operation() -> None:
    assert trading_subject(3, Operation.CANCEL_ALL) == "trading.3.cancel_all"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", 0), ("quantity", "1"), ("side", "LONG"), ("extra", 1),
        ("user_id", "user-1\n"), ("command_key", "a\n"),
    ],
)  # fmt: skip
def test_an_order_with_a_wrong_field_is_refused(field: str, value: object) -> None:
    order = {
        "user_id": "user-1", "account": Account.PAPER, "key": "NSE_EQ|INE002A01018",
        "side": Side.BUY, "product": Product.INTRADAY, "quantity": 1,
        "order_type": OrderType.MARKET, "command_key": "a",
    }  # fmt: skip
    msgspec.json.decode(msgspec.json.encode(order), type=OrderRequest)
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.json.decode(msgspec.json.encode(order | {field: value}), type=OrderRequest)
