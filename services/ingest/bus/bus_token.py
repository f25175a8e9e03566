"""Requests the access token of the feed from the trading service."""

from typing import Final

import msgspec
from nats.errors import Error as NatsError

from shared.bus.connection import Bus
from shared.contracts.strict_json import decode_json
from shared.contracts.subjects import FEED_TOKEN
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_TIMEOUT_SECS: Final = 2.0


class _TokenReply(msgspec.Struct):
    access_token: str


class BusToken:
    """A token source: the trading service, where an administrator links the feed's account."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self) -> str | None:
        """The current token; None if there is none or the service does not reply."""
        if not self._bus.can_publish:
            return None
        try:
            reply = await self._bus.client.request(FEED_TOKEN, b"{}", timeout=_TIMEOUT_SECS)
            return decode_json(reply.data, _TokenReply).access_token or None
        except (NatsError, OSError, msgspec.DecodeError) as error:
            log.debug("no token from the trading service", error=type(error).__name__)
            return None
