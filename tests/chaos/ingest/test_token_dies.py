"""The access token dies, as it does at 03:30 every morning, and a new one comes."""

from pathlib import Path
from typing import Any

import msgspec
from nats.aio.msg import Msg

from services.ingest.settings import IngestSettings
from shared.contracts.messages import FeedState
from shared.contracts.subjects import FEED_TOKEN
from shared.runtime.settings import UpstoxSettings
from tests.support.buses import flushed
from tests.support.ingest import (
    TOKEN,
    Listener,
    arm,
    ask_simulator,
    ingest,
    ingest_settings,
    simulator,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

SATURDAY_MS = 1_795_858_200_000  # 2026-11-28 15:00 IST


async def new_token(url: str) -> str:
    issued = await ask_simulator(url, "login/tokens", {"kind": "analytics"})
    token: str = issued["access_token"]
    return token


async def kill_tokens(url: str) -> None:
    await ask_simulator(url, "faults/tokens", {"alive": False})


def settings_for(
    nats: NatsServer,
    url: str,
    watchlist: Path,
    *,
    token: str = "",
    token_file: Path | None = None,
    **more: Any,
) -> IngestSettings:
    upstox = UpstoxSettings.model_validate(
        {"api_url": url, "access_token": token, "token_file": token_file}
    )
    options: dict[str, Any] = {"token_poll_secs": 0.1, "token_check_secs": 0.3}
    return ingest_settings(nats, url, watchlist, upstox=upstox, **(options | more))


async def test_a_dead_token_is_told_and_the_next_one_in_the_file_taken_up(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator() as url:
        file.write_text(await new_token(url))
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings) as readiness:
            await listener.wait_for_quotes(3)
            await kill_tokens(url)
            await arm(url, "abort")
            await listener.wait_for_state(FeedState.UNAUTHORISED)
            assert "feed" in readiness.missing
            seen = len(listener.quotes())
            file.write_text(await new_token(url))
            await listener.wait_for_state(FeedState.LIVE)
            after = (await listener.wait_for_quotes(seen + 3))[seen:]
    assert after[0].snap
    assert after[0].seq == seen + 1, "the same leader goes on"


async def test_a_feed_that_outlives_its_token_goes_on_with_a_warning(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator() as url:
        file.write_text(await new_token(url))
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings) as readiness:
            await listener.wait_for_quotes(3)
            await kill_tokens(url)

            async def warned() -> bool:
                return "refuses the access token" in listener.statuses()[-1].detail

            await eventually(warned, what="md.status says that the token is refused")
            await listener.wait_for_quotes(len(listener.quotes()) + 5)
            assert readiness.is_ready()
            assert not any(quote.snap for quote in listener.quotes()[1:]), "never cut off"
            file.write_text(await new_token(url))

            async def taken_up() -> bool:
                return any(quote.snap for quote in listener.quotes()[1:])

            await eventually(taken_up, what="a connection with the new token")
            await listener.wait_for_state(FeedState.LIVE)
            assert listener.statuses()[-1].detail == ""


async def test_a_token_that_dies_while_the_market_is_shut_is_told_at_once(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator(calendar="exchange", start_ms=SATURDAY_MS) as url:
        file.write_text(await new_token(url))
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings):
            await listener.wait_for_state(FeedState.CLOSED)
            await kill_tokens(url)
            await listener.wait_for_state(FeedState.UNAUTHORISED)
            file.write_text(await new_token(url))
            await listener.wait_for_state(FeedState.CLOSED)


async def test_the_trading_service_can_bring_the_token(
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
            await kill_tokens(url)
            await arm(url, "abort")
            await listener.wait_for_state(FeedState.UNAUTHORISED)
            token = await new_token(url)
            await listener.wait_for_state(FeedState.LIVE)
    await trading.close()


async def test_a_new_token_is_taken_up_at_once_while_the_market_is_shut(
    nats: NatsServer, listener: Listener, watchlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    async with simulator(calendar="exchange", start_ms=SATURDAY_MS) as url:
        file.write_text(TOKEN)
        settings = settings_for(nats, url, watchlist, token_file=file)
        async with ingest(settings):
            await listener.wait_for_state(FeedState.CLOSED)
            seen = len(listener.quotes())
            file.write_text(await new_token(url))
            again = (await listener.wait_for_quotes(seen + 1))[seen]
            assert again.snap
            await listener.wait_for_state(FeedState.CLOSED)
    assert FeedState.UNAUTHORISED not in listener.states()
