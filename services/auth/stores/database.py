"""Converts errors of the MongoDB driver to Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import OperationFailure, PyMongoError

from shared.errors import Unavailable
from shared.runtime.logs import get_logger

log = get_logger(__name__)


@contextmanager
def failures_as_unavailable() -> Iterator[None]:
    """Raises Unavailable for every error of the driver in the block, and logs the error's type."""
    try:
        yield
    except PyMongoError as error:
        # Its text is not logged: that of a refused write quotes the document with the hash.
        code = error.code if isinstance(error, OperationFailure) else None
        log.warning("database failed", error=type(error).__name__, code=code)
        raise Unavailable("the database does not answer; try again shortly") from None
