"""The access token expires, as it does at 03:30 every morning, and a new one is supplied."""

from pathlib import Path
from typing import Any

import msgspec
from nats.aio.msg import Msg

from services.ingest.settings import IngestSettings
from services.simulator.settings import SIMULATED_TOKEN
from shared.contracts.messages import FeedState
from shared.contracts.subjects import FEED_TOKEN
from tests.support.buses import flushed
from tests.support.figures import Figures
from tests.support.ingest import (
    Listener,
    add_fault,
    ingest,
    ingest_settings,
    post_to_simulator,
    simulator,
)
from tests.support.servers import NatsServer
from tests.support.settings import upstox_settings
from tests.support.waiting import eventually

SATURDAY_MS = 1_795_858_200_000  # 2026-11-28 15:00 IST


async def new_token(url: str) -> str:
    issued = await post_to_simulator(url, "login/tokens", {"kind": "analytics"})
    token: str = issued["access_token"]
    return token


async def expire_tokens(url: str) -> None:
    await post_to_simulator(url, "faults/tokens", {"alive": False})


def settings_for(
    nats: NatsServer,
    url: str,
    watchlist: Path,
    *,
    token: str = "",
    token_file: Path | None = None,
    **more: Any,
) -> IngestSettings:
    upstox = upstox_settings(url, token, token_file)
    options: dict[str, Any] = {"token_poll_secs": 0.1, "token_check_secs": 0.3}
    return ingest_settings(nats, url, watchlist, upstox=upstox, **(options | more))


async def test_an_expired_token_is_published_and_the_next_one_in_the_file_is_used(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path, figures: Figures
) -> None:
    file = tmp_path / "token"
    async with simulator() as url:
        file.write_text(await new_token(url))
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings) as readiness:
            await listener.wait_for_quotes(3)
            await expire_tokens(url)
            await add_fault(url, "abort")
            with figures.duration("until_unauthorised_secs"):
                await listener.wait_for_state(FeedState.UNAUTHORISED)
            assert "feed" in readiness.missing
            published = len(listener.quotes())
            file.write_text(await new_token(url))
            with figures.duration("until_live_with_the_new_token_secs"):
                await listener.wait_for_state(FeedState.LIVE)
            after = (await listener.wait_for_quotes(published + 3))[published:]
    assert after[0].snap
    assert after[0].seq == published + 1, "another leader"


async def test_a_feed_that_survives_its_token_stays_connected_with_a_warning(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator() as url:
        file.write_text(await new_token(url))
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings) as readiness:
            await listener.wait_for_quotes(3)
            await expire_tokens(url)
            await eventually(
                lambda: "refuses the access token" in listener.statuses()[-1].detail,
                what="md.status warns that the token has expired",
            )
            await listener.wait_for_more_quotes(5)
            assert readiness.is_ready()
            assert not any(quote.snap for quote in listener.quotes()[1:]), "the connection ended"
            file.write_text(await new_token(url))
            await eventually(
                lambda: any(quote.snap for quote in listener.quotes()[1:]),
                what="a connection with the new token",
            )
            await listener.wait_for_state(FeedState.LIVE)
            assert listener.statuses()[-1].detail == ""


async def test_a_token_that_expires_while_the_market_is_closed_is_published(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator(calendar="exchange", start_ms=SATURDAY_MS) as url:
        file.write_text(await new_token(url))
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings):
            await listener.wait_for_state(FeedState.CLOSED)
            await expire_tokens(url)
            await listener.wait_for_state(FeedState.UNAUTHORISED)
            file.write_text(await new_token(url))
            await listener.wait_for_state(FeedState.CLOSED)


async def test_the_trading_service_can_supply_the_token(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    token = ""

    async def answer(message: Msg) -> None:
        await message.respond(msgspec.json.encode({"access_token": token}))

    trading = await nats.connect("trading")
    await trading.subscribe(FEED_TOKEN, cb=answer)
    await flushed(trading)
    async with simulator() as url:
        async with ingest(settings_for(nats, url, watchlist)):
            await listener.wait_for_state(FeedState.UNAUTHORISED)
            token = await new_token(url)
            await listener.wait_for_quotes(3)
            await expire_tokens(url)
            await add_fault(url, "abort")
            await listener.wait_for_state(FeedState.UNAUTHORISED)
            token = await new_token(url)
            await listener.wait_for_state(FeedState.LIVE)
    await trading.close()


async def test_a_new_token_is_used_at_once_while_the_market_is_closed(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator(calendar="exchange", start_ms=SATURDAY_MS) as url:
        file.write_text(SIMULATED_TOKEN)
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings):
            await listener.wait_for_state(FeedState.CLOSED)
            published = len(listener.quotes())
            file.write_text(await new_token(url))
            first_of_new = (await listener.wait_for_quotes(published + 1))[published]
            assert first_of_new.snap
            await listener.wait_for_state(FeedState.CLOSED)
    assert FeedState.UNAUTHORISED not in listener.states()
