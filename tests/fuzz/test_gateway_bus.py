"""Random messages from the bus to the gateway."""

import random
from typing import Any, Final

import msgspec

from services.gateway.fanout.stamp import stamp_of
from shared.contracts.messages import encode
from shared.contracts.subjects import depth_subject, quote_subject
from tests.fuzz.rounds import damaged, mutated_json, rounds
from tests.support.builders import KEY, fresh_quote
from tests.support.buses import flushed
from tests.support.gateway.process import gateway_process
from tests.support.gateway.websocket import receive, subscribe
from tests.support.servers import NatsServer

_ROUNDS: Final = 60
_NOISE_KEY: Final = "NSE_EQ|INE999A01999"
_STATUS: Final[dict[str, Any]] = {
    "state": "live", "ts": 1, "epoch": 1, "segments": {"NSE_EQ": "NORMAL_OPEN"}, "live": True,
}  # fmt: skip

_SUBJECTS: Final = (quote_subject(_NOISE_KEY), depth_subject(KEY), "md.status", "md.coverage")


def _message(source: random.Random, quote: bytes) -> bytes:
    if source.random() < 0.5:
        return mutated_json(source, _STATUS)
    data = damaged(source, quote)
    try:
        # A message of a newer epoch is no noise: it ends the epoch of the other quotes.
        return quote if stamp_of(data).epoch > 1 else data
    except msgspec.DecodeError:
        return data


async def test_random_messages_stop_no_quote(nats: NatsServer) -> None:
    async with gateway_process(nats) as gateway, gateway.connect() as good:
        await subscribe(good, KEY)
        pid = gateway.process.pid
        for number, source in enumerate(rounds(_ROUNDS), 1):
            quote = encode(fresh_quote(seq=number, key=_NOISE_KEY))
            for _ in range(20):
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
        assert "Traceback" not in gateway.process.log()
