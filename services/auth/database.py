"""What auth's stores have in common towards MongoDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from shared.errors import Unavailable
from shared.logs import get_logger
from shared.mongo import Document

log = get_logger(__name__)

_NAMESPACE_EXISTS: Final = 48


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


async def ensure_collection(
    db: AsyncDatabase[Document],
    name: str,
    schema: dict[str, Any],
    indexes: Sequence[IndexModel],
) -> None:
    """Make collection `name` as described, or change it to that; safe to repeat.

    Raises PyMongoError: at start nothing can be answered, so the process ends.
    """
    validation: dict[str, Any] = {
        "validator": {"$jsonSchema": schema},
        "validationLevel": "strict",
        "validationAction": "error",
    }
    try:
        await db.create_collection(name, check_exists=False, **validation)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
        await db.command("collMod", name, **validation)
    await db[name].create_indexes(list(indexes))
