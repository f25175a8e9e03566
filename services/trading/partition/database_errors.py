"""Answers `unavailable` while the database does not answer."""

from typing import TypeVar

import msgspec
from pymongo.errors import PyMongoError

from shared.bus.responder import Handler
from shared.errors import Unavailable
from shared.runtime.logs import get_logger

log = get_logger(__name__)
RequestT = TypeVar("RequestT", bound=msgspec.Struct)


def or_unavailable(handler: Handler[RequestT]) -> Handler[RequestT]:
    """The same handler, which raises Unavailable instead of PyMongoError: nothing was changed."""

    async def handle(request: RequestT) -> msgspec.Struct | msgspec.Raw:
        try:
            return await handler.handle(request)
        except PyMongoError as error:
            log.warning("request failed", request=type(request).__name__, error=str(error))
            raise Unavailable("the database does not answer; repeat the request") from None

    return Handler(handler.request_type, handle)
