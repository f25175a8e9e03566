"""The trading service provides the token, or there is none."""

from typing import Any

from nats.errors import NoRespondersError

from services.ingest.bus.bus_token import BusToken


class FakeBus:
    """A bus on which the trading service replies with `reply`; None is no trading service."""

    def __init__(self, reply: bytes | None, *, can_publish: bool = True) -> None:
        self.client = self
        self.can_publish = can_publish
        self.data = reply

    async def request(self, *_: object, **options: object) -> Any:
        if self.data is None:
            raise NoRespondersError
        return self


def bus_token(reply: bytes | None, **options: Any) -> BusToken:
    bus: Any = FakeBus(reply, **options)
    return BusToken(bus)


async def test_the_trading_service_replies_with_the_token() -> None:
    assert await bus_token(b'{"access_token": "t"}').read() == "t"


async def test_an_empty_or_unreadable_reply_is_no_token() -> None:
    for reply in (b'{"access_token": ""}', b"{}", b"garbage"):
        assert await bus_token(reply).read() is None


async def test_without_the_trading_service_or_nats_there_is_no_token() -> None:
    assert await bus_token(None).read() is None
    assert await bus_token(b'{"access_token": "t"}', can_publish=False).read() is None
