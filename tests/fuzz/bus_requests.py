"""Random requests over the bus to a responder, in which any part may be wrong."""

import asyncio
import json
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from nats.aio.client import Client

from shared.bus.requests import DEADLINE_HEADER, ERROR_HEADER, ErrorReply
from shared.bus.responder import REQUESTS
from shared.contracts.history import MAX_TIME_MS
from shared.errors import Code
from shared.runtime.clock import SystemClock
from tests.fuzz.rounds import damaged, mutated_json, odd_value
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import eventually

_CLOCK: Final = SystemClock()
_NEAR_VALUES: Final[tuple[Any, ...]] = (
    KEY, OTHER_KEY, "NSE_EQ|NOBODY", "NSE_EQ|", "|", "NSE_EQ|%2E", "x|" + "é" * 126, "NSE_EQ|*",
    MONDAY_10_00, MAX_TIME_MS, MAX_TIME_MS + 1, 10**9, "0001-01-01", "9999-12-31", "2026-02-30",
    "0", "-0", "1e400", "1e-400", "NaN", "sNaN", "Infinity", "1e999999999999999999", "9" * 40,
    "1400.05", "0.0001", 1400.05, 2_000, "paper", "upstox", "SL", "SL-M", "IOC", "D", "SELL",
)  # fmt: skip
"""Values that some fields accept, or that only the last checks refuse."""
_DEADLINES: Final = (
    "", "soon", "-1", "1e12", "\u0661", "9" * 30, "9" * 400, "9" * 5_000, "nan", "0x10",
)  # fmt: skip
_TRACES: Final = ("", "00-x", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff" * 40, "\t;,=")


@dataclass(frozen=True, slots=True)
class Request:
    """A right request and the type of its reply."""

    subject: str
    body: dict[str, Any]
    reply_type: type[msgspec.Struct]

    def random_body(self, source: random.Random) -> bytes:
        """The body with odd values, or with values of which only the last checks refuse some."""
        body = dict(self.body)
        if "command_key" in body:  # a key that was used before is refused before anything else
            body["command_key"] = f"c-{source.getrandbits(64):x}"
        for _ in range(source.randrange(3) if body else 0):
            body[source.choice(sorted(body))] = source.choice(_NEAR_VALUES)
        if source.random() < 0.5:
            return mutated_json(source, body)
        data = json.dumps(body).encode()
        return damaged(source, data) if source.random() < 0.1 else data


def _headers(source: random.Random) -> dict[str, str]:
    headers = {DEADLINE_HEADER: str(_CLOCK.now_ms() + int(PATIENCE_SECS * 1_000))}
    if source.random() < 0.1:
        headers[DEADLINE_HEADER] = source.choice(_DEADLINES)
    if source.random() < 0.1:
        headers["traceparent"] = source.choice(_TRACES)
        headers["tracestate"] = source.choice((*_TRACES, str(odd_value(source))[:50]))
    printable = {name: value.encode("ascii", "ignore").decode() for name, value in headers.items()}
    return {name: " ".join(value.split()) for name, value in printable.items()}


async def check_counted(
    client: Client, source: random.Random, requests: Sequence[Request], count: int
) -> None:
    """Send random requests at once. A responder of this process counts each one, and answers it with
    its reply or with the code of an error that is no defect.
    """
    subjects = {request.subject for request in requests}
    expected = _counted(subjects) + count
    await asyncio.gather(*(_send(client, source, source.choice(requests)) for _ in range(count)))
    await eventually(lambda: _counted(subjects) == expected, what="each request is counted")


async def _send(client: Client, source: random.Random, request: Request) -> None:
    body, headers = request.random_body(source), _headers(source)
    shown = request.subject, headers, body[:500]
    if headers[DEADLINE_HEADER] == "-1":  # nobody waits any more, so there is no reply
        await client.publish(request.subject, body, headers=headers)
        return
    try:
        reply = await client.request(request.subject, body, timeout=PATIENCE_SECS, headers=headers)
    except TimeoutError:
        raise AssertionError(f"no reply to {shown}") from None
    if reply.headers and ERROR_HEADER in reply.headers:
        refused = msgspec.json.decode(reply.data, type=ErrorReply)
        assert refused.code.value == reply.headers[ERROR_HEADER]
        assert refused.code is not Code.INTERNAL, (shown, refused)
        assert refused.detail, (shown, refused)
    else:
        msgspec.json.decode(reply.data, type=request.reply_type)


def _counted(subjects: Collection[str]) -> float:
    """How many requests of these subjects the responders of this process have counted."""
    return sum(
        sample.value
        for metric in REQUESTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["subject"] in subjects
    )
