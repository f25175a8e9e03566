"""Turns whatever MongoDB's driver raises into an answer for the client."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import OperationFailure, PyMongoError

from shared.errors import Unavailable
from shared.runtime.logs import get_logger

log = get_logger(__name__)


@contextmanager
def failures_as_unavailable() -> Iterator[None]:
    """Raises Unavailable for whatever the driver raises in the block."""
    try:
        yield
    except PyMongoError as error:
        # Not its text: a refused write quotes the document, password hash included.
        code = error.code if isinstance(error, OperationFailure) else None
        log.warning("database failed", error=type(error).__name__, code=code)
        raise Unavailable("the database does not answer; try again shortly") from None
