"""The session of a client: renewed in place, ended with its token, and never printed."""

import asyncio
import logging
import time

import pytest

from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, encode
from tests.support.builders import KEY, fresh_quote
from tests.support.buses import bus_of
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, open_and_close, python_client
from tests.support.servers import NatsServer
from tests.support.waiting import eventually
from tradedad_client import (
    Connected,
    Disconnected,
    Quote,
    Renewed,
    Revoked,
    TooMany,
    Unauthenticated,
)


class ShortTokens:
    """A source of tokens that are valid for some seconds."""

    def __init__(self, gateway: InProcessGateway, secs: int) -> None:
        self._gateway = gateway
        self._secs = secs
        self.expires_at: list[int] = []

    async def token(self) -> str:
        self.expires_at.append(int(time.time()) + self._secs)
        return self._gateway.issuer.token(exp=self.expires_at[-1])


async def test_a_token_is_renewed_in_place_after_a_warning_of_the_gateway(nats: NatsServer) -> None:
    async with running_gateway(nats, expiry_warning_secs=5) as gateway:
        source = ShortTokens(gateway, secs=15)
        async with python_client(gateway, ask_token=source.token) as client:
            events, quotes = client.events(), client.quotes([KEY])
            renewed = await next_of(events, Renewed)
            assert renewed.expires_at in source.expires_at[1:], "REST asks for tokens too"
            await gateway.publish(fresh_quote())
            assert (await next_of(quotes, Quote)).key == KEY
            assert events.waiting == 0, "the stream was lost"


async def test_a_token_that_expired_before_its_renewal_is_replaced(nats: NatsServer) -> None:
    async with running_gateway(nats, expiry_warning_secs=0.1) as gateway:
        source = ShortTokens(gateway, secs=15)
        is_lost = asyncio.Event()

        async def first_then_once_lost() -> str:
            if source.expires_at:
                await is_lost.wait()
            return await source.token()

        async with python_client(gateway, ask_token=first_then_once_lost) as client:
            events = client.events()
            assert "4401" in (await next_of(events, Disconnected)).reason
            is_lost.set()
            await next_of(events, Connected)
            assert len(source.expires_at) >= 2


async def test_a_client_with_a_fixed_token_ends_when_the_token_expires(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        token = gateway.issuer.token(exp=int(time.time()) + 15)
        async with python_client(gateway, token=token) as client:
            quotes, events = client.quotes([KEY]), client.events()
            with pytest.raises(Unauthenticated) as end:
                await next_of(quotes, Quote)
            assert end.value.code == "token_expired"
            with pytest.raises(Unauthenticated):
                await next_of(events, Renewed)


async def test_an_invalid_token_is_refused_at_once(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        with pytest.raises(Unauthenticated) as refusal:
            await open_and_close(python_client(gateway, token="not.a.token"))
        assert refusal.value.code == "unauthenticated"

        async def always_the_same() -> str:
            return "not.a.token"

        with pytest.raises(Unauthenticated):
            await open_and_close(python_client(gateway, ask_token=always_the_same))


async def test_a_source_of_invalid_tokens_is_asked_twice(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        calls = []

        async def another() -> str:
            calls.append(1)
            return f"not.a.token{len(calls)}"

        with pytest.raises(Unauthenticated):
            await open_and_close(python_client(gateway, ask_token=another))
        assert len(calls) == 2


async def test_an_error_of_the_token_source_is_raised_unchanged(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:

        async def broken() -> str:
            raise KeyError("no such vault")

        with pytest.raises(KeyError, match="no such vault"):
            await open_and_close(python_client(gateway, ask_token=broken))


async def test_a_revoked_session_ends_the_client(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)
        async with python_client(gateway) as client:
            quotes = client.quotes([KEY])
            await quotes.ready()
            revocation = SessionRevoked(session_id="session-1", until=int(time.time()) + 900)
            subject, value = encode(revocation)
            await auth.js.publish(subject, value)
            with pytest.raises(Revoked) as end:
                await next_of(quotes, Quote)
            assert end.value.code == "revoked"
        with pytest.raises(Revoked):
            await open_and_close(python_client(gateway))


async def test_a_stream_above_the_limit_of_the_user_is_refused(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_streams_per_user=1) as gateway,
        python_client(gateway) as client,
    ):
        with pytest.raises(TooMany, match="a user may have 1 streams") as refusal:
            await open_and_close(python_client(gateway))
        assert refusal.value.code == "limit_exceeded"
        assert client.is_live


async def test_no_token_is_printed_or_logged(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running_gateway(nats) as gateway:
        token = gateway.issuer.token()
        async with python_client(gateway, token=token) as client:
            printed = f"{client!r} {client.__dict__}"
            await gateway.stop()
            await eventually(lambda: not client.is_live, what="the client is not live")
        assert token not in printed
        assert token not in caplog.text
