"""Random messages from the bus to the gateway, beside those that clients must receive."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import msgspec
from nats.aio.client import Client

from services.gateway.fanout.stamp import check_object, minute_of, stamp_of
from shared.contracts.messages import encode
from shared.contracts.option_chains import ChainKey
from shared.contracts.subjects import (
    bar_subject,
    candle_subject,
    depth_subject,
    order_subject,
    quote_subject,
)
from tests.fuzz.rounds import damaged, mutated_json, rounds
from tests.fuzz.tracebacks import tracebacks
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, fresh_quote
from tests.support.buses import bus_of, flushed
from tests.support.gateway.fake_trading import EVENT
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.websocket import receive, subscribe
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

_ROUNDS: Final = 60
_CHANNEL_ROUNDS: Final = 30
_BATCH: Final = 20
_NOISE_KEY: Final = "NSE_EQ|INE999A01999"
_STATUS: Final[dict[str, Any]] = {
    "state": "live", "since": 1, "epoch": 1, "segments": {"NSE_EQ": "NORMAL_OPEN"},
    "detail": "", "at": MONDAY_10_00, "simulated": True, "stale": [_NOISE_KEY],
}  # fmt: skip
_COVERAGE: Final[dict[str, Any]] = {
    "epoch": 1, "seen": {"gateway": 1}, "pending": [], "no_capacity": [_NOISE_KEY], "unknown": [],
    "needs_plus": [], "modes": {"full": {"subscribed": 1, "limit": 2}}, "number": 1, "part": 0,
    "parts": 2,
}  # fmt: skip
_SUBJECTS: Final = (quote_subject(_NOISE_KEY), depth_subject(KEY), "md.status", "md.coverage")
_CHAIN: Final = ChainKey(OTHER_KEY, "2026-11-26", 1)
_ORDER_EVENT: Final[dict[str, Any]] = json.loads(msgspec.json.encode(EVENT))


def _epoch(data: bytes) -> int:
    """The epoch of a message; 0 if none can be read."""
    try:
        return int(msgspec.json.decode(data)["epoch"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return 0


def _message(source: random.Random, quote: bytes) -> bytes:
    if source.random() < 0.6:
        data = mutated_json(source, source.choice((_STATUS, _COVERAGE)))
    else:
        data = damaged(source, quote)
    # A message of a newer epoch is no noise: it ends the epoch of the other messages.
    return quote if _epoch(data) > 1 else data


async def test_random_messages_stop_no_quote(nats: NatsServer) -> None:
    async with gateway_process(nats) as gateway, gateway.connect() as good:
        await subscribe(good, KEY)
        pid = gateway.process.pid
        for number, source in enumerate(rounds(_ROUNDS), 1):
            quote = encode(fresh_quote(seq=number, key=_NOISE_KEY))
            for _ in range(_BATCH):
                subject = source.choice(_SUBJECTS)
                await gateway.ingest.publish(subject, _message(source, quote))
            await flushed(gateway.ingest)
            await gateway.publish(fresh_quote(seq=number))
            while True:
                (*_, last) = (await receive(good, "quotes"))["data"]
                if last["seq"] == number:
                    break
        assert gateway.process.pid == pid
        assert gateway.process.is_running
        assert not (found := tracebacks(gateway.process.log())), found


class _Channel:
    """One channel: its right messages, and those of them that must not reach a client."""

    def __init__(
        self,
        name: str,
        subject: str,
        publisher: Client,
        right: Callable[[int], dict[str, Any]],
        check: Callable[[bytes], object],
        mark: str,
    ) -> None:
        self.name = name
        self.publisher = publisher
        self.right = right
        self.mark = mark
        self._subject = subject
        self._check = check

    async def publish(self, data: bytes) -> None:
        await self.publisher.publish(self._subject, data)

    def is_malformed(self, data: bytes) -> bool:
        try:
            self._check(data)
        except msgspec.DecodeError:
            return True
        return False

    def is_noise(self, data: bytes, number: int) -> bool:
        """Whether right messages are still right after it: it is not newer than they are."""
        if self.is_malformed(data) or self._check is check_object:
            return True
        if self._check is minute_of:
            return minute_of(data).start < number * 60_000
        stamp = stamp_of(data)
        return (stamp.epoch, stamp.seq) < (1, number)


def _candle(number: int) -> dict[str, Any]:
    return {
        "key": KEY, "start": number * 60_000, "open": 1.0, "high": 2.0, "low": 1.0, "close": 1.5,
        "volume": 3, "epoch": 1, "ts": number * 60_000 + 60_000,
    }  # fmt: skip


def _bar(number: int) -> dict[str, Any]:
    return {
        "key": KEY, "start": number * 300_000, "open": 1.0, "high": 2.0, "low": 1.0, "close": 1.5,
        "ltq": 1, "ltt": 1, "volume": 3, "vtt": 9, "atp": 1.5, "oi": None, "ticks": 3,
        "state": "complete", "silent_ms": 0, "epoch": 1,
    }  # fmt: skip


def _chain(number: int) -> dict[str, Any]:
    return {
        "key": str(_CHAIN), "epoch": 1, "seq": number, "ts": MONDAY_10_00,
        "rt": fresh_quote().rt, "underlying": OTHER_KEY, "expiry": "2026-11-26", "ltp": 24_000.0,
        "atm": 24_000.0, "rows": [{"strike": 24_000.0}],
    }  # fmt: skip


def _event(number: int) -> dict[str, Any]:
    return _ORDER_EVENT | {"seq": number}


async def _malformed(gateway: GatewayProcess) -> float:
    """How many messages the gateway has refused."""
    name = "tradedad_gateway_malformed_messages_total{"
    async with gateway.http.get(f"{gateway.process.ops_url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


async def _receives(
    socket: aiohttp.ClientWebSocketResponse, channel: _Channel, right: dict[str, Any]
) -> None:
    """Wait for the right message. All frames on the way have valid JSON."""
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, (channel.name, message)
            batch = json.loads(message.data)
            mark = channel.mark
            if batch["type"] == channel.name and batch["data"][-1].get(mark) == right[mark]:
                return


async def test_random_messages_of_a_channel_lose_no_right_one_and_malformed_ones_are_counted(
    nats: NatsServer,
) -> None:
    async with (
        gateway_process(nats) as gateway,
        bus_of(nats, "persister") as persister,
        bus_of(nats, "trading") as trading,
        gateway.connect() as good,
    ):
        ingest = gateway.ingest
        channels = (
            _Channel("candles", candle_subject(KEY), ingest, _candle, minute_of, "start"),
            _Channel("chain", _CHAIN.subject, ingest, _chain, stamp_of, "seq"),
            _Channel("bars", bar_subject(KEY), persister.client, _bar, check_object, "start"),
            _Channel(
                "orders", order_subject("user-1"), trading.client, _event, check_object, "seq"
            ),
        )
        for channel in channels:
            keys = {"chain": [str(_CHAIN)], "orders": []}.get(channel.name, [KEY])
            await subscribe(good, *keys, channel=channel.name)
        pid = gateway.process.pid
        for number, source in enumerate(rounds(_CHANNEL_ROUNDS), 1):
            expected = await _malformed(gateway)
            for channel in channels:
                right = channel.right(number)
                for _ in range(_BATCH):
                    data = mutated_json(source, right)
                    if channel.is_noise(data, number):
                        expected += channel.is_malformed(data)
                        await channel.publish(data)
                await channel.publish(msgspec.json.encode(right))
                await _receives(good, channel, right)
            await _are_counted(gateway, expected)
        assert gateway.process.pid == pid
        assert gateway.process.is_running
        assert not (found := tracebacks(gateway.process.log())), found


async def _are_counted(gateway: GatewayProcess, expected: float) -> None:
    async def has_count() -> bool:
        return await _malformed(gateway) == expected

    wait: Callable[[], Awaitable[bool]] = has_count
    await eventually(wait, what=f"{expected:g} messages are counted")
