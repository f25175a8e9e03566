import pytest
from pymongo.errors import ServerSelectionTimeoutError, WriteError
from structlog.testing import capture_logs

from services.auth.stores.database import failures_as_unavailable
from shared.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "code"),
    [(ServerSelectionTimeoutError("no server"), None), (WriteError("v1$hash", code=121), 121)],
)
def test_an_error_of_the_driver_becomes_unavailable_and_its_text_is_not_logged(
    error: Exception, code: int | None
) -> None:
    with capture_logs() as logs, pytest.raises(Unavailable) as raised, failures_as_unavailable():
        raise error
    assert "v1$hash" not in str(raised.value)
    assert [(entry["error"], entry["code"]) for entry in logs] == [(type(error).__name__, code)]
    assert "v1$hash" not in repr(logs)


def test_other_errors_are_not_converted() -> None:
    with pytest.raises(ValueError, match="other"), failures_as_unavailable():
        raise ValueError("other")
