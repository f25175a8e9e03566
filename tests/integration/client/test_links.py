"""The client and its command line link, show and unlink an Upstox account."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import msgspec
import pytest

from shared.contracts.upstox_links import LinkOperation
from shared.errors import LinkRefused
from tests.support.gateway.fake_links import LOGIN_URL
from tests.support.gateway.link_rest import LinkRest, gateway_with_links
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tradedad_client import Client, LinkPurpose, LinkState, LinkStatus, Refused, RequestTiming

QUICK = RequestTiming(attempt_secs=PATIENCE_SECS, total_secs=PATIENCE_SECS)


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[LinkRest]:
    async with gateway_with_links(nats) as rest:
        yield rest


@pytest.fixture
async def client(rest: LinkRest) -> AsyncIterator[Client]:
    token = rest.gateway.issuer.token()
    async with Client(rest.gateway.url, token=token, stream=False, request_timing=QUICK) as client:
        yield client


async def test_an_account_is_linked_and_unlinked(rest: LinkRest, client: Client) -> None:
    assert (await client.trading.link_status()).state == LinkState.UNLINKED
    login = await client.trading.link()
    assert login.login_url.startswith(LOGIN_URL)
    await rest.come_back(state=login.login_url.removeprefix(LOGIN_URL), code="abc123")
    status = await client.trading.link_status()
    assert (status.state, status.upstox_user_id) == (LinkState.LINKED, "7BB2AA")
    assert (await client.trading.unlink()).state == LinkState.UNLINKED
    assert (await client.trading.request_link()).state == LinkState.WAITING


async def test_the_users_own_app_is_passed_on(rest: LinkRest, client: Client) -> None:
    await client.trading.link(client_id="app-1", client_secret="s3cret!")
    assert (rest.links.last.client_id, rest.links.last.client_secret) == ("app-1", "s3cret!")


async def test_refusals_have_their_code(rest: LinkRest, client: Client) -> None:
    with pytest.raises(Refused, match="administrators") as caught:
        await client.trading.link_status(purpose=LinkPurpose.FEED)
    assert caught.value.code == "forbidden"
    rest.links.error = LinkRefused("no such app", field="client_id")
    with pytest.raises(Refused, match="no such app") as caught:
        await client.trading.link()
    assert (caught.value.code, caught.value.field) == ("link_refused", "client_id")


async def run(rest: LinkRest, *arguments: str, **environ: str) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error of the command line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tradedad_client", *arguments, "--url", rest.gateway.url),
        env={**os.environ, "TRADE_DAD_TOKEN": rest.gateway.issuer.token(), **environ},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode().strip(), err.decode().strip()


async def test_the_command_line_links_shows_and_unlinks(rest: LinkRest) -> None:
    code, printed, _ = await run(rest, "link")
    url = printed.splitlines()[-1]
    assert (code, url.startswith(LOGIN_URL)) == (0, True)
    await rest.come_back(state=url.removeprefix(LOGIN_URL), code="abc123")
    code, shown, _ = await run(rest, "link-status", "--json")
    status = msgspec.json.decode(shown, type=LinkStatus)
    assert (code, status.state) == (0, LinkState.LINKED)
    code, printed, _ = await run(rest, "unlink")
    assert (code, printed) == (0, "unlinked")


async def test_the_secret_of_an_app_comes_from_the_environment(rest: LinkRest) -> None:
    secret = {"TRADE_DAD_UPSTOX_SECRET": "s3cret!"}
    code, printed, _ = await run(rest, "link", "--client-id", "app-1", **secret)
    assert (code, "s3cret" in printed) == (0, False)
    assert rest.links.last.client_secret == "s3cret!"
    code, _, error = await run(rest, "link", "--client-id", "app-1", TRADE_DAD_UPSTOX_SECRET="")
    assert (code, "set TRADE_DAD_UPSTOX_SECRET" in error) == (1, True)


async def test_the_command_line_lets_upstox_ask(rest: LinkRest) -> None:
    assert await run(rest, "link", "--ask") == (0, "waiting", "")
    assert rest.links.requests[-1][1] is LinkOperation.LINK_REQUEST
