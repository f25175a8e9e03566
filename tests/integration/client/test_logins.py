"""With a real auth: the client logs in, refreshes its tokens in place, and logs out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from shared.runtime.settings import NatsSettings, TokenSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.builders import KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, open_and_close
from tests.support.servers import PASSWORD as NATS_PASSWORD
from tests.support.servers import NatsServer
from tests.support.tcp_proxy import cuttable_proxy
from tradedad_client import (
    Connected,
    Disconnected,
    Quote,
    Renewed,
    Revoked,
    Unauthenticated,
)

WHO: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}
# Shorter than any operator may choose: a test cannot wait for ten minutes.
LIFE_SECS = 6


@asynccontextmanager
async def house(
    nats: NatsServer, settings: AuthSettings
) -> AsyncIterator[tuple[Auth, InProcessGateway]]:
    """Auth, where Ann has an account, and a gateway that knows its keys."""
    told = {
        "access_ttl_secs": LIFE_SECS,
        "nats": NatsSettings.model_validate({"url": nats.url}),
        "nats_password": type(settings.pepper)(NATS_PASSWORD),
    }
    async with running_auth(settings.model_copy(update=told)) as auth:
        try:
            assert (await auth.signup(EMAIL, PASSWORD)).status == 201
            keys = TokenSettings(jwks_url=f"{auth.url}/.well-known/jwks.json")
            async with running_gateway(nats, tokens=keys, expiry_warning_secs=0.5) as gateway:
                yield auth, gateway
        finally:
            await auth.mongo.client.drop_database(auth.mongo.db.name)


async def test_one_login_lasts_by_refreshing_and_is_given_back_in_the_end(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with house(nats, settings) as (auth, gateway):
        async with gateway.client(auth_url=auth.url, **WHO) as client:
            events, quotes = client.events(), client.quotes([KEY])
            for _ in range(2):
                await next_of(events, Renewed)
            await gateway.publish(fresh_quote())
            await next_of(quotes, Quote)
            assert events.waiting == 0, "the stream was not lost"
            assert PASSWORD not in repr(client.__dict__)
        happened = await auth.events()
        assert happened.count("login") == 1
        assert happened[-1] == "logout"


async def test_it_logs_in_again_only_if_refreshing_fails(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with house(nats, settings) as (auth, gateway):
        async with gateway.client(auth_url=auth.url, **WHO) as client:
            quotes = client.quotes([KEY])
            events = client.events()
            await quotes.ready()
            # The session is gone, and the gateway was not told.
            await auth.mongo.db["sessions"].delete_many({})
            await next_of(events, Connected)
            await gateway.publish(fresh_quote())
            assert (await next_of(quotes, Quote)).key == KEY
        assert (await auth.events()).count("login") == 2


async def test_auth_may_be_away_for_a_while_when_a_token_is_due(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with house(nats, settings) as (auth, gateway):
        port = int(auth.url.rpartition(":")[2])
        async with cuttable_proxy(port) as (proxied, cut):
            url = proxied.replace("nats", "http")
            async with gateway.client(auth_url=url, **WHO) as client:
                events = client.events()
                async with cut():
                    # Its token dies meanwhile, and only a new one brings the stream back.
                    await next_of(events, Disconnected)
                await next_of(events, Connected)
        assert (await auth.events()).count("login") <= 2


async def test_a_wrong_password_is_told_at_once(nats: NatsServer, settings: AuthSettings) -> None:
    async with house(nats, settings) as (auth, gateway):
        wrong = gateway.client(auth_url=auth.url, email=EMAIL, password="not the password")
        with pytest.raises(Unauthenticated) as refusal:
            await open_and_close(wrong)
        assert refusal.value.code == "bad_credentials"
        assert "not the password" not in str(refusal.value)


async def test_who_was_logged_out_everywhere_does_not_come_back_by_itself(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with house(nats, settings) as (auth, gateway), working(auth):
        other = (await auth.login(EMAIL, PASSWORD)).body
        async with gateway.client(auth_url=auth.url, **WHO) as client:
            quotes = client.quotes([KEY])
            await quotes.ready()
            assert (await auth.post("/auth/logout-all", token=other["access_token"])).status == 200
            with pytest.raises(Revoked):
                await next_of(quotes, Quote)
        assert (await auth.events()).count("login") == 2
