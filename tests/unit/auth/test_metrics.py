import asyncio

import pytest
from prometheus_client import REGISTRY

from services.auth import metrics
from shared.errors import BadCredentials


def logins(outcome: str) -> float:
    labels = {"operation": "login", "outcome": outcome}
    return REGISTRY.get_sample_value("tradedad_auth_requests_total", labels) or 0.0


def test_a_success_is_counted_as_ok() -> None:
    before = logins("ok")
    with metrics.outcome("login"):
        pass
    assert logins("ok") == before + 1


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (BadCredentials("no"), "bad_credentials"),
        (RuntimeError("a bug"), "failed"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_an_error_is_counted_by_its_kind_and_passed_on(error: BaseException, label: str) -> None:
    before = logins(label)
    with pytest.raises(type(error)), metrics.outcome("login"):
        raise error
    assert logins(label) == before + 1
