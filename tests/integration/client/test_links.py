"""The client and its command line link, show and unlink an Upstox account."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from shared.contracts.upstox_links import LinkOperation
from shared.errors import LinkRefused
from tests.support.gateway.fake_links import LOGIN_URL
from tests.support.gateway.link_rest import LinkRest, gateway_with_links
from tests.support.patience import OUTAGE_SECS, PATIENCE_SECS
from tests.support.servers import NatsServer
from tradedad_client import (
    Client,
    LinkPurpose,
    LinkState,
    LinkStatus,
    Refused,
    RequestTiming,
    Unavailable,
)

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
    text = await rest.text_of(login.login_url.removeprefix(LOGIN_URL))
    status = await client.trading.finish_link(text)
    assert status == await client.trading.link_status()
    assert (status.state, status.upstox_user_id) == (LinkState.LINKED, "7BB2AA")
    assert (await client.trading.unlink()).state == LinkState.UNLINKED
    assert (await client.trading.request_link()).state == LinkState.WAITING


async def test_another_users_text_is_refused(rest: LinkRest, client: Client) -> None:
    text = await rest.text_of(await rest.begin("ann"))
    with pytest.raises(Refused, match="another user has begun") as caught:
        await client.trading.finish_link(text)
    assert caught.value.code == "link_state_invalid"
    with pytest.raises(Refused, match="<state>:<code>") as caught:
        await client.trading.finish_link("abc123")
    assert caught.value.field == "answer"


async def test_a_login_whose_answer_is_lost_is_not_finished_a_second_time(
    nats: NatsServer,
) -> None:
    async with gateway_with_links(nats, link_timeout_secs=OUTAGE_SECS) as rest:
        text = await rest.text_of(await rest.begin())
        rest.links.lost_answers = 1
        token = rest.gateway.issuer.token()
        async with Client(rest.gateway.url, token=token, stream=False) as client:
            with pytest.raises(Unavailable, match="look at the state of the link"):
                await client.trading.finish_link(text)
        sent = [operation for _, operation, _ in rest.links.requests]
        assert sent.count(LinkOperation.LINK_FINISH) == 1


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


@asynccontextmanager
async def started(rest: LinkRest, *arguments: str, **environ: str) -> AsyncIterator[Process]:
    """The command line, killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tradedad_client", *arguments, "--url", rest.gateway.url),
        env={**os.environ, "TRADEDAD_CLIENT_TOKEN": rest.gateway.issuer.token(), **environ},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(rest: LinkRest, *arguments: str, **environ: str) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error of the command line, without input."""
    async with started(rest, *arguments, **environ) as process:
        out, err = await process.communicate(b"")
    return process.returncode, out.decode().strip(), err.decode().strip()


async def printed_state(process: Process) -> str:
    """The state in the address that `link` has printed."""
    assert process.stdout is not None
    while not (line := (await process.stdout.readline()).decode()).startswith(LOGIN_URL):
        assert line, "it has ended"
    return line.strip().removeprefix(LOGIN_URL)


async def test_the_command_line_links_shows_and_unlinks(rest: LinkRest) -> None:
    async with started(rest, "link") as process:
        text = await rest.text_of(await printed_state(process))
        out, err = await process.communicate(f"  {text} \r\n".encode())
    assert process.returncode == 0, err.decode()
    assert out.decode().startswith("linked  7BB2AA (Asha Rao)")
    assert b"Copy the text of the page" in err
    code, shown, _ = await run(rest, "link-status", "--json")
    status = msgspec.json.decode(shown, type=LinkStatus)
    assert (code, status.state) == (0, LinkState.LINKED)
    code, printed, _ = await run(rest, "unlink")
    assert (code, printed) == (0, "unlinked")


@pytest.mark.parametrize("typed", [b"", b"\n", b"  \n"])
async def test_without_a_text_a_login_is_only_started(rest: LinkRest, typed: bytes) -> None:
    async with started(rest, "link") as process:
        await printed_state(process)
        out, err = await process.communicate(typed)
    assert (process.returncode, out) == (0, b"")
    assert err.decode().splitlines() == ["Copy the text of the page after the login to here:"]
    assert [operation for _, operation, _ in rest.links.requests] == [LinkOperation.LINK_BEGIN]


async def test_a_text_that_is_refused_ends_the_command_with_its_rule(rest: LinkRest) -> None:
    async with started(rest, "link") as process:
        await printed_state(process)
        _, err = await process.communicate(b"abc123\n")
    assert process.returncode == 1
    assert "answer: must be the whole text of the page" in err.decode()


async def test_an_interrupt_ends_the_wait_for_the_text(rest: LinkRest) -> None:
    async with started(rest, "link") as process:
        assert process.stderr is not None
        await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        err = await process.stderr.read()
        await process.wait()
    assert (process.returncode, err) == (130, b"")


async def test_the_secret_of_an_app_comes_from_the_environment(rest: LinkRest) -> None:
    secret = {"TRADEDAD_CLIENT_UPSTOX_SECRET": "s3cret!"}
    code, printed, _ = await run(rest, "link", "--client-id", "app-1", **secret)
    assert (code, "s3cret" in printed) == (0, False)
    assert rest.links.last.client_secret == "s3cret!"
    code, _, error = await run(
        rest, "link", "--client-id", "app-1", TRADEDAD_CLIENT_UPSTOX_SECRET=""
    )
    assert (code, "set TRADEDAD_CLIENT_UPSTOX_SECRET" in error) == (1, True)


async def test_the_command_line_lets_upstox_ask(rest: LinkRest) -> None:
    assert await run(rest, "link", "--ask") == (0, "waiting", "")
    assert rest.links.requests[-1][1] is LinkOperation.LINK_REQUEST
