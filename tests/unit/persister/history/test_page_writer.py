"""Errors of the database that concern a page differ from those that pass."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from services.persister.history.page_writer import is_passing

_WRITE_CONFLICT = {"errorLabels": ["TransientTransactionError"]}


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("closed"),
        NotPrimaryError("stepped down"),
        NetworkTimeout("slow"),
        ServerSelectionTimeoutError("no primary"),
        ExecutionTimeout("slow", 50),
        OperationFailure("conflict", 112, _WRITE_CONFLICT),
    ],
    ids=repr,
)
def test_a_database_that_is_away_busy_or_slow_refuses_no_page(error: PyMongoError) -> None:
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        BulkWriteError({"writeErrors": [{"index": 0, "code": 11_000}]}),
        WriteError("Document failed validation", 121),
    ],
    ids=repr,
)
def test_documents_that_cannot_be_written_are_refused_for_good(error: PyMongoError) -> None:
    assert not is_passing(error)
