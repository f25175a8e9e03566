"""Receives revocations as a gateway does, for tests of the services that publish them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.stream_reader import StreamReader
from shared.contracts.revocations import ALL_REVOCATIONS, STREAM, Revocations, decode
from shared.contracts.subjects import AUTH_JETSTREAM_API
from shared.web.verifier import Principal
from tests.support.buses import flushed


@asynccontextmanager
async def received_revocations(bus: Bus) -> AsyncIterator[Revocations]:
    """The revocations that are published from now on."""
    revocations = Revocations()

    async def on_revocation(message: Msg) -> None:
        revocations.add(decode(message.subject, message.data))

    subscription = await bus.client.subscribe(ALL_REVOCATIONS, cb=on_revocation)
    await flushed(bus.client)
    yield revocations
    await subscription.unsubscribe()


async def stored_revocations(bus: Bus) -> Revocations:
    """The revocations in the bucket, which a gateway reads when it starts."""
    revocations = Revocations()
    async with StreamReader(bus, STREAM, AUTH_JETSTREAM_API, start=None) as reader:
        async for entries in reader.backlog():
            for entry in entries:
                revocations.add(decode(entry.subject, entry.data))
    return revocations


def principal_of(login: dict[str, Any]) -> Principal:
    """The principal of the access token of a login."""
    claims = jwt.decode(login["access_token"], options={"verify_signature": False})
    return Principal(
        user_id=login["user_id"],
        session_id=login["session_id"],
        token_id="token",
        roles=frozenset(),
        expires_at=claims["exp"],
        issued_at=claims["iat"],
    )
