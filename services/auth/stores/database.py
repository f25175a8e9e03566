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
        # The error's text is not logged: after a refused write it quotes the document, including
        # the password hash.
        code = error.code if isinstance(error, OperationFailure) else None
        log.warning("database failed", error=type(error).__name__, code=code)
        raise Unavailable("the database does not answer; try again shortly") from None
