"""Revocations on a real nats-server: written by auth, read and heard by the gateway alone."""

import json

import pytest
from nats.aio.msg import Msg

from shared.bus.resources import ensure_revocations_bucket
from shared.bus.stream_reader import StreamReader
from shared.contracts.revocations import (
    ALL_REVOCATIONS,
    STREAM,
    Revocation,
    SessionRevoked,
    UserRevoked,
    decode,
    encode,
)
from shared.contracts.subjects import AUTH_JETSTREAM_API
from tests.support.buses import bus_of, flushed
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

BOTH: list[Revocation] = [
    SessionRevoked(session_id="s1", until=2_000_000_000),
    UserRevoked(user_id="u1", before=1_900_000_000, until=2_000_000_000),
]


async def test_the_gateway_reads_what_is_kept_and_hears_what_is_new(nats: NatsServer) -> None:
    async with bus_of(nats, "auth") as auth, bus_of(nats, "gateway") as gateway:
        await ensure_revocations_bucket(auth, ttl_secs=60)
        await auth.js.publish(*encode(BOTH[0]))
        heard: list[Revocation] = []

        async def on_revocation(message: Msg) -> None:
            heard.append(decode(message.subject, message.data))

        await gateway.client.subscribe(ALL_REVOCATIONS, cb=on_revocation)
        await flushed(gateway.client)
        await auth.js.publish(*encode(BOTH[1]))

        async def look() -> bool:
            return bool(heard)

        await eventually(look, what="the gateway hears it")
        assert heard == [BOTH[1]]
        reader = StreamReader(gateway, STREAM, AUTH_JETSTREAM_API, start=None)
        async with reader:
            entries = [entry async for batch in reader.backlog() for entry in batch]
        kept = [decode(entry.subject, entry.data) for entry in entries]
        assert kept == BOTH


async def test_the_bucket_keeps_one_entry_of_a_session_and_never_forgets_sooner(
    nats: NatsServer,
) -> None:
    async with bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=60)
        await ensure_revocations_bucket(auth, ttl_secs=600)
        await ensure_revocations_bucket(auth, ttl_secs=60)
        for until in (2_000_000_000, 2_000_000_001):
            await auth.js.publish(*encode(SessionRevoked(session_id="s1", until=until)))
        info = await auth.js.stream_info(STREAM)
        assert info.config.max_age == 600
        assert info.state.messages == 1


@pytest.mark.parametrize("smuggled_to", ["$KV.revocations.session.s2", "md.quote.A.B"])
async def test_a_gateway_cannot_have_an_answer_published_as_a_revocation(
    nats: NatsServer, smuggled_to: str
) -> None:
    async with bus_of(nats, "auth") as auth, bus_of(nats, "gateway") as gateway:
        await ensure_revocations_bucket(auth, ttl_secs=60)
        await auth.js.publish(*encode(BOTH[0]))
        create = f"{AUTH_JETSTREAM_API}.CONSUMER.CREATE.{STREAM}"
        config = {"ack_policy": "none", "deliver_policy": "all"}
        body = json.dumps({"stream_name": STREAM, "config": config}).encode()
        made = json.loads((await gateway.client.request(create, body, timeout=2)).data)
        next_one = f"{AUTH_JETSTREAM_API}.CONSUMER.MSG.NEXT.{STREAM}.{made['name']}"
        await gateway.client.publish(create, body, reply=smuggled_to)
        await gateway.client.publish(next_one, b'{"batch":1}', reply=smuggled_to)
        # Asked after those on the same connection, so answered after them.
        await gateway.client.request(create, body, timeout=2)
        assert (await auth.js.stream_info(STREAM)).state.messages == 1
