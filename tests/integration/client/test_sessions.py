"""A client's session: renewed in place, ended as it ends, never shown in what is printed."""

import asyncio
import logging
import time

import pytest

from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, encode
from tests.support.builders import KEY, fresh_quote
from tests.support.buses import bus_of
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, open_and_close
from tests.support.servers import NatsServer
from tradedad_client import (
    Connected,
    Disconnected,
    Quote,
    Renewed,
    Revoked,
    TooMany,
    Unauthenticated,
)


class TokenDesk:
    """A program's own source of tokens, each good for some seconds."""

    def __init__(self, gateway: InProcessGateway, secs: int) -> None:
        self._gateway = gateway
        self._secs = secs
        self.given = 0

    async def ask(self) -> str:
        self.given += 1
        return self._gateway.issuer.token(exp=int(time.time()) + self._secs)


async def test_a_token_is_renewed_in_place_when_the_gateway_warns(nats: NatsServer) -> None:
    async with running_gateway(nats, expiry_warning_secs=4) as gateway:
        issuer = TokenDesk(gateway, secs=9)
        async with gateway.client(ask_token=issuer.ask) as client:
            events, quotes = client.events(), client.quotes([KEY])
            renewed = await next_of(events, Renewed)
            assert renewed.expires_at > time.time() + 5
            assert issuer.given == 2
            await gateway.publish(fresh_quote())
            assert (await next_of(quotes, Quote)).key == KEY
            assert events.waiting == 0, "the stream was not lost"


async def test_a_token_that_was_not_renewed_in_time_is_replaced(nats: NatsServer) -> None:
    async with running_gateway(nats, expiry_warning_secs=0.1) as gateway:
        issuer = TokenDesk(gateway, secs=2)
        async with gateway.client(ask_token=issuer.ask) as client:
            events = client.events()
            assert "4401" in (await next_of(events, Disconnected)).reason
            await next_of(events, Connected)
            assert issuer.given >= 2


async def test_one_given_token_ends_the_client_with_itself(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        token = gateway.issuer.token(exp=int(time.time()) + 2)
        async with gateway.client(token=token) as client:
            quotes, events = client.quotes([KEY]), client.events()
            with pytest.raises(Unauthenticated) as end:
                await next_of(quotes, Quote)
            assert end.value.code == "token_expired"
            with pytest.raises(Unauthenticated):
                await next_of(events, Renewed)


async def test_a_token_that_is_not_good_is_refused_at_once(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        with pytest.raises(Unauthenticated) as refusal:
            await open_and_close(gateway.client(token="not.a.token"))
        assert refusal.value.code == "unauthenticated"

        async def always_the_same() -> str:
            return "not.a.token"

        with pytest.raises(Unauthenticated):
            await open_and_close(gateway.client(ask_token=always_the_same))


async def test_a_source_that_brings_bad_tokens_again_and_again_is_given_up(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        asked = []

        async def another() -> str:
            asked.append(1)
            return f"not.a.token{len(asked)}"

        with pytest.raises(Unauthenticated):
            await open_and_close(gateway.client(ask_token=another))
        assert len(asked) == 2


async def test_a_failure_of_the_programs_own_source_is_raised_as_it_is(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:

        async def broken() -> str:
            raise KeyError("no such vault")

        with pytest.raises(KeyError, match="no such vault"):
            await open_and_close(gateway.client(ask_token=broken))


async def test_a_revoked_session_ends_the_client(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)
        async with gateway.client() as client:
            quotes = client.quotes([KEY])
            await quotes.ready()
            revocation = SessionRevoked(session_id="session-1", until=int(time.time()) + 900)
            subject, value = encode(revocation)
            await auth.js.publish(subject, value)
            with pytest.raises(Revoked) as end:
                await next_of(quotes, Quote)
            assert end.value.code == "revoked"
        with pytest.raises(Revoked):
            await open_and_close(gateway.client())


async def test_one_stream_more_than_a_user_may_have_is_refused(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams_per_user=1) as gateway, gateway.client() as client:
        with pytest.raises(TooMany, match="a user may have 1 streams") as refusal:
            await open_and_close(gateway.client())
        assert refusal.value.code == "limit_exceeded"
        assert client.is_live


async def test_no_token_is_in_anything_that_is_printed_or_logged(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running_gateway(nats) as gateway:
        token = gateway.issuer.token()
        async with gateway.client(token=token) as client:
            printed = f"{client!r} {client.__dict__}"
            await gateway.stop()
            while client.is_live:
                await asyncio.sleep(0.01)
        assert token not in printed
        assert token not in caplog.text
