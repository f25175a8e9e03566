"""The name of the role is that of the tokens and accounts that exist."""

from shared.contracts.roles import ADMIN_ROLE


def test_the_role_of_administrators_keeps_its_name() -> None:
    assert ADMIN_ROLE == "admin"
