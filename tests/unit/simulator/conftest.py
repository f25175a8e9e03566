"""An order manager on a market whose trades the test makes."""

import pytest

from tests.support.order_managers import OrderManagerHarness


@pytest.fixture
def harness() -> OrderManagerHarness:
    """The order manager with its market and its clock."""
    return OrderManagerHarness()
