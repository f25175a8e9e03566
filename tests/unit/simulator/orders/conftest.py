"""A desk on a market of two stocks whose trades the test makes."""

import pytest

from tests.support.desks import DeskOnStage


@pytest.fixture
def stage() -> DeskOnStage:
    """The desk, its market, its clock."""
    return DeskOnStage()
