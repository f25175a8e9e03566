"""Requests to the REST interface of a gateway, and the stored data that its replies are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from services.persister.aggregation.checkpoint import encode_state
from services.persister.aggregation.closed_windows import ClosedWindows
from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.search_rank import search_words
from services.persister.storage.bar_store import BarStore
from shared.contracts.instruments import Instrument
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.gateway.endpoint import Gateway
from tests.support.http import Reply, read_reply

RELIANCE = Instrument(
    key=KEY, symbol="RELIANCE", name="RELIANCE INDUSTRIES LTD", segment="NSE_EQ", exchange="NSE",
    type="EQ", isin="INE002A01018", lot_size=1, tick_size=0.1,
)  # fmt: skip
NIFTY = Instrument(
    key=OTHER_KEY, symbol="NIFTY", name="Nifty 50", segment="NSE_INDEX", exchange="NSE",
    type="INDEX",
)  # fmt: skip
CALL = Instrument(
    key="NSE_FO|45001", symbol="NIFTY 24000 CE 26 NOV 26", name="NIFTY", segment="NSE_FO",
    exchange="NSE", type="CE", lot_size=75, expiry="2026-11-26", strike=24_000.0,
    underlying_key=OTHER_KEY, underlying_symbol="NIFTY",
)  # fmt: skip


async def get(
    gateway: Gateway,
    path: str,
    *,
    token: str | None = "good",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    **query: Any,
) -> Reply:
    """Send a request to the gateway; `from_` stands for the parameter `from`."""
    return await send(gateway, method, path, token=token, headers=headers, **query)


async def send(
    gateway: Gateway,
    method: str,
    path: str,
    *,
    token: str | None = "good",
    headers: Mapping[str, str] | None = None,
    body: str | bytes | None = None,
    **query: Any,
) -> Reply:
    """Send a request with any method, and a `body` as it is. The path is encoded already."""
    headers = dict(headers or {})
    if token is not None:
        shown = gateway.issuer.token() if token == "good" else token
        headers["Authorization"] = f"Bearer {shown}"
    params = [
        (name.rstrip("_"), str(item))
        for name, value in query.items()
        for item in (value if isinstance(value, list) else [value])
    ]
    url = URL(gateway.url + path, encoded=True).update_query(params)
    async with gateway.http.request(
        method, url, headers=headers, data=body, allow_redirects=False
    ) as response:
        return await read_reply(response)


def bars_from(start_ms: int, count: int, key: str = KEY) -> list[Bar]:
    """Consecutive five-minute bars."""
    return [
        Bar(
            key=key, start=start_ms + number * WINDOW_MS, open=1_400.0, high=1_401.5 + number,
            low=1_399.95, close=1_400.05, ltq=5, ltt=start_ms, volume=3_000_000_000 + number,
            vtt=9_000_000, atp=1_400.1, oi=None, ticks=7, state=BarState.COMPLETE, silent_ms=0,
            epoch=1,
        )
        for number in range(count)
    ]  # fmt: skip


async def store_bars(mongo: Mongo, bars: Sequence[Bar]) -> None:
    """Store bars as the leading persister does."""
    store = BarStore(mongo)
    await store.prepare()
    epoch, state = await store.take_over()
    end = max(bar.start for bar in bars) + WINDOW_MS
    await store.commit(ClosedWindows(end, tuple(bars), (), encode_state(state)), epoch)


async def store_instruments(mongo: Mongo, instruments: Sequence[Instrument]) -> None:
    """Store instruments as the persister does with the instruments master."""
    store = InstrumentStore(mongo)
    await store.prepare()
    await store.write((instrument, 1, search_words(instrument)) for instrument in instruments)
    keys = {instrument.key for instrument in instruments}
    await store.finish("http://127.0.0.1/master", "2026-11-23", "", keys)


MONDAY: dict[str, Any] = {"from_": MONDAY_10_00, "to": MONDAY_10_00 + 100 * WINDOW_MS}
"""Query parameters of a range of 100 windows."""
