"""With a real auth the client logs in, renews its token in place, and logs out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from shared.runtime.settings import TokenSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.builders import KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, open_and_close, python_client
from tests.support.servers import PASSWORD as NATS_PASSWORD
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.tcp_proxy import cuttable_proxy
from tradedad_client import (
    Connected,
    Disconnected,
    Quote,
    Renewed,
    Revoked,
    Unauthenticated,
)

CREDENTIALS: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}
# Shorter than an operator may choose, so that tests see renewals.
ACCESS_TTL_SECS = 20


@asynccontextmanager
async def auth_and_gateway(
    nats: NatsServer, settings: AuthSettings
) -> AsyncIterator[tuple[Auth, InProcessGateway]]:
    """Auth with an account, and a gateway that trusts its keys."""
    more = {
        "access_ttl_secs": ACCESS_TTL_SECS,
        "nats": nats_settings(nats.url),
        "nats_password": type(settings.pepper)(NATS_PASSWORD),
    }
    async with running_auth(settings.model_copy(update=more)) as auth:
        assert (await auth.signup(EMAIL, PASSWORD)).status == 201
        tokens = TokenSettings(jwks_url=f"{auth.url}/.well-known/jwks.json")
        async with running_gateway(nats, tokens=tokens, expiry_warning_secs=0.5) as gateway:
            yield auth, gateway


async def test_one_login_lasts_by_refreshing_and_ends_with_a_logout(
    nats: NatsServer, settings: AuthSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradedad_client.login._RENEW_AFTER", 0.2)
    async with auth_and_gateway(nats, settings) as (auth, gateway):
        async with python_client(gateway, auth_url=auth.url, **CREDENTIALS) as client:
            events, quotes = client.events(), client.quotes([KEY])
            for _ in range(2):
                await next_of(events, Renewed)
            await gateway.publish(fresh_quote())
            await next_of(quotes, Quote)
            assert events.waiting == 0, "the stream was lost"
            assert PASSWORD not in repr(client.__dict__)
        events_of_auth = await auth.events()
        assert events_of_auth.count("login") == 1
        assert events_of_auth[-1] == "logout"


async def test_the_client_logs_in_again_if_a_refresh_fails(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with auth_and_gateway(nats, settings) as (auth, gateway):
        async with python_client(gateway, auth_url=auth.url, **CREDENTIALS) as client:
            quotes = client.quotes([KEY])
            events = client.events()
            await quotes.ready()
            # The session is deleted, and no revocation is published.
            await auth.mongo.db["sessions"].delete_many({})
            await next_of(events, Connected)
            await gateway.publish(fresh_quote())
            assert (await next_of(quotes, Quote)).key == KEY
        assert (await auth.events()).count("login") == 2


async def test_the_client_survives_a_token_that_expires_while_auth_is_away(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with auth_and_gateway(nats, settings) as (auth, gateway):
        port = int(auth.url.rpartition(":")[2])
        async with cuttable_proxy(port) as proxy:
            url = f"http://{proxy.address}"
            async with python_client(gateway, auth_url=url, **CREDENTIALS) as client:
                events = client.events()
                async with proxy.cut():
                    # Its token expires meanwhile, and the stream needs a new one.
                    await next_of(events, Disconnected)
                await next_of(events, Connected)
        assert (await auth.events()).count("login") <= 2


async def test_a_wrong_password_is_raised_at_once(nats: NatsServer, settings: AuthSettings) -> None:
    async with auth_and_gateway(nats, settings) as (auth, gateway):
        wrong = python_client(gateway, auth_url=auth.url, email=EMAIL, password="not the password")
        with pytest.raises(Unauthenticated) as refusal:
            await open_and_close(wrong)
        assert refusal.value.code == "bad_credentials"
        assert "not the password" not in str(refusal.value)


async def test_a_client_that_was_logged_out_does_not_log_in_again_by_itself(
    nats: NatsServer, settings: AuthSettings
) -> None:
    async with auth_and_gateway(nats, settings) as (auth, gateway), auth.running():
        other = (await auth.login(EMAIL, PASSWORD)).body
        async with python_client(gateway, auth_url=auth.url, **CREDENTIALS) as client:
            quotes = client.quotes([KEY])
            await quotes.ready()
            assert (await auth.post("/auth/logout-all", token=other["access_token"])).status == 200
            with pytest.raises(Revoked):
                await next_of(quotes, Quote)
        assert (await auth.events()).count("login") == 2
