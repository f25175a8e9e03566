import asyncio

import pytest
from prometheus_client import REGISTRY

from services.auth import metrics
from shared.errors import BadCredentials


def count_of(outcome: str) -> float:
    labels = {"operation": "login", "outcome": outcome}
    return REGISTRY.get_sample_value("tradedad_auth_requests_total", labels) or 0.0


def test_a_block_without_an_error_is_counted_as_ok() -> None:
    before = count_of("ok")
    with metrics.count_outcome("login"):
        pass
    assert count_of("ok") == before + 1


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (BadCredentials("no"), "bad_credentials"),
        (RuntimeError("a bug"), "failed"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_an_error_is_counted_by_its_kind_and_raised_again(error: BaseException, label: str) -> None:
    before = count_of(label)
    with pytest.raises(type(error)), metrics.count_outcome("login"):
        raise error
    assert count_of(label) == before + 1
