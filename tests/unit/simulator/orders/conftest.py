"""A order_manager on a market of two stocks whose trades the test makes."""

import pytest

from tests.support.order_managers import OrderManagerHarness


@pytest.fixture
def stage() -> OrderManagerHarness:
    """The order_manager, its market, its clock."""
    return OrderManagerHarness()
