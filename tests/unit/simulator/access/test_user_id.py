"""User ids have capital letters and digits."""

import pytest

from services.simulator.access.user_id import DEFAULT_USER, USER_ID


@pytest.mark.parametrize("user_id", [DEFAULT_USER, "A", "7" * 20])
def test_an_id_is_accepted(user_id: str) -> None:
    assert USER_ID.fullmatch(user_id)


@pytest.mark.parametrize("user_id", ["", "sim001", "A B", "A" * 21])
def test_anything_else_is_not(user_id: str) -> None:
    assert not USER_ID.fullmatch(user_id)
