"""The reconnect loop retries temporary errors and raises final ones."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tradedad_client.errors import (
    ClientError,
    Revoked,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from tradedad_client.messages import Disconnected
from tradedad_client.protocol import StreamProtocol
from tradedad_client.reconnect import ReconnectLoop
from tradedad_client.tokens import Token


class ScriptedConnection:
    """Each stream ends with the next of `results`; a True before it makes the stream live."""

    def __init__(self, *results: tuple[bool, ClientError | None]) -> None:
        self._results = iter(results)
        self.tokens: list[str] = []
        self.token: Token | None = None
        self.live_since: float | None = None

    async def serve(self, token: Token) -> ClientError | None:
        self.tokens.append(token.text)
        self.token = token
        was_live, error = next(self._results)
        self.live_since = time.monotonic() if was_live else None
        return error


class NumberedTokens:
    """Supplies t0, t1, ...: a new token whenever the last one was refused."""

    def __init__(self, limit: int = 9) -> None:
        self._limit = limit
        self._count = 0

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        self._count += newer_than is not None
        return Token(f"t{self._count}") if self._count < self._limit else None

    async def close(self) -> None:
        pass


class Run:
    """One run of the loop, without real pauses."""

    def __init__(
        self,
        *results: tuple[bool, ClientError | None],
        tokens: NumberedTokens | None = None,
        give_up_secs: float = 900.0,
    ) -> None:
        self.connection = ScriptedConnection(*results)
        self.protocol = StreamProtocol()
        self.events = self.protocol.add_listener()
        connection: Any = self.connection
        self.loop = ReconnectLoop(
            connection, self.protocol, tokens or NumberedTokens(), "http://x", give_up_secs
        )

    def disconnects(self) -> Sequence[Disconnected]:
        events = []
        while (event := self.events.buffer.take()) is not None:
            events.append(event)
        return events


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    yield_once = asyncio.sleep

    async def sleep(_secs: float) -> None:
        await yield_once(0)

    monkeypatch.setattr("tradedad_client.reconnect.asyncio.sleep", sleep)


async def test_a_temporary_error_is_reported_and_retried() -> None:
    run = Run((False, Unavailable("down", retry_after_secs=7.0)), (True, Revoked("ended")))
    with pytest.raises(Revoked):
        await run.loop.run()
    assert run.connection.tokens == ["t0", "t0"]
    (event,) = run.disconnects()
    assert event.reason == "down"
    assert event.retry_in_secs > 7.0


async def test_without_an_error_the_stream_is_opened_again_at_once() -> None:
    run = Run((True, None), (True, Revoked("ended")))
    with pytest.raises(Revoked):
        await run.loop.run()
    assert run.disconnects() == []


async def test_a_refused_token_is_replaced_once() -> None:
    run = Run((False, Unauthenticated("no")), (False, Unauthenticated("no")))
    with pytest.raises(Unauthenticated):
        await run.loop.run()
    assert run.connection.tokens == ["t0", "t1"]


async def test_a_token_that_was_accepted_may_be_refused_and_replaced_again() -> None:
    expired = Unauthenticated("expired")
    run = Run((True, expired), (True, expired), (True, expired), (True, Revoked("ended")))
    with pytest.raises(Revoked):
        await run.loop.run()
    assert run.connection.tokens == ["t0", "t1", "t2", "t3"]


async def test_the_refusal_is_raised_if_there_is_no_other_token() -> None:
    run = Run((True, Unauthenticated("expired")), tokens=NumberedTokens(limit=1))
    with pytest.raises(Unauthenticated, match="expired"):
        await run.loop.run()


async def test_too_many_streams_are_final_unless_a_lost_stream_may_still_count() -> None:
    refusal = TooMany("a user may have 1 stream")
    first_stream = Run((False, refusal))
    with pytest.raises(TooMany):
        await first_stream.loop.run()
    reconnecting = Run((False, refusal), (True, Revoked("ended")))
    reconnecting.protocol.was_live = True
    with pytest.raises(Revoked):
        await reconnecting.loop.run()
    assert len(reconnecting.disconnects()) == 1


async def test_it_gives_up_after_a_time_without_a_stream() -> None:
    cause = Unavailable("down")
    with pytest.raises(Unreachable, match="for 0 s: down") as raised:
        await Run((False, cause), give_up_secs=0.0).loop.run()
    assert raised.value.__cause__ is cause
