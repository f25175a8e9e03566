"""Creates the JetStream resources: the TICKS stream and the buckets for leases and revocations."""

import uuid
from typing import Final

import msgspec
from nats.js.api import (
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError

from shared.bus.connection import Bus
from shared.bus.lease import Leases
from shared.contracts.messages import decode_clock
from shared.contracts.revocations import ALL_REVOCATIONS
from shared.contracts.revocations import STREAM as REVOCATIONS_STREAM
from shared.contracts.subjects import CLOCK, LEASES_BUCKET, TICKS_STREAM, TICKS_SUBJECTS
from shared.errors import ConfigError

_MAX_REVOCATIONS_BYTES: Final = 64 << 20
_STORES_NOTHING_BYTES: Final = 1
"""A stream with this limit on the size of an entry stores none of our messages."""


async def ensure_ticks_stream(
    bus: Bus, *, max_age_secs: float, max_bytes: int, is_storing: bool = True
) -> None:
    """Create or update TICKS, the replay buffer of all messages that bars and fills are computed from.

    Unless `is_storing`, it keeps its entries and stores no further ones.

    Raises nats.errors.Error if the server does not reply or refuses.
    """
    config = StreamConfig(
        name=TICKS_STREAM,
        subjects=list(TICKS_SUBJECTS),
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_age=max_age_secs,
        max_bytes=max_bytes,
        max_msgs_per_subject=-1,
        # Without its subjects, the stream would refuse the gateway's consumers, which filter by them.
        max_msg_size=-1 if is_storing else _STORES_NOTHING_BYTES,
        num_replicas=bus.settings.replicas,
        no_ack=True,
        duplicate_window=min(120.0, max_age_secs),
    )
    try:
        info = await bus.js.stream_info(TICKS_STREAM)
    except NotFoundError:
        # Tells this stream from a lost predecessor. The time of creation does not: nats-server
        # 2.9.10 changes it from the third start on.
        config.description = uuid.uuid4().hex
        await bus.js.add_stream(config)
    else:
        config.description = info.config.description or uuid.uuid4().hex
        await bus.js.update_stream(config)


async def open_leases(bus: Bus, *, reads_ticks: bool = False) -> Leases:
    """Open the bucket of leases; create it with the TTL of the settings if it does not exist.

    The TTL is a property of the bucket: nats-server 2.9 silently ignores a TTL per message.
    With `reads_ticks`, the last epoch is that of the last message in TICKS: for ingest, whose
    epochs order the quotes.

    Raises ConfigError if the bucket has a shorter TTL than the settings: the server would grant
    the lease to another process while the holder still relies on it.
    """
    ttl_secs = bus.settings.lease_ttl_secs
    try:
        bucket = await bus.js.key_value(LEASES_BUCKET)
    except NotFoundError:
        config = KeyValueConfig(
            bucket=LEASES_BUCKET,
            ttl=ttl_secs,
            history=1,
            storage=StorageType.FILE,
            replicas=bus.settings.replicas,
        )
        bucket = await bus.js.create_key_value(config)
    status = await bucket.status()
    bucket_ttl_secs = status.ttl or 0.0
    if 0.0 < bucket_ttl_secs < ttl_secs:
        problem = (
            f"TRADEDAD_NATS_LEASE_TTL_SECS: {ttl_secs} s is longer than the {bucket_ttl_secs} s "
            "of the bucket in NATS; set that value again, or make the bucket anew (docs/operations.md, "
            '"Another TTL")'
        )
        raise ConfigError([problem])
    last_epoch = await _last_published_epoch(bus) if reads_ticks else 0
    return Leases(bucket, _created_at_ms(status.stream_info), last_epoch)


async def _last_published_epoch(bus: Bus) -> int:
    """The epoch of the last clock tick in TICKS; 0 if there is none."""
    try:
        message = await bus.js.get_last_msg(TICKS_STREAM, CLOCK)
        return decode_clock(message.data or b"").epoch
    except (NotFoundError, msgspec.DecodeError):
        return 0


def _created_at_ms(info: StreamInfo) -> int:
    return 0 if info.created is None else int(info.created.timestamp() * 1_000)


async def ensure_revocations_bucket(bus: Bus, *, ttl_secs: float) -> None:
    """Create the bucket of revocations, or raise its TTL to `ttl_secs`.

    The TTL is never lowered: tokens that were issued under an older setting may live as long
    as that setting allowed. Raises nats.errors.Error if the server does not reply or refuses.
    """
    config = StreamConfig(
        name=REVOCATIONS_STREAM,
        subjects=[ALL_REVOCATIONS],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_age=ttl_secs,
        max_bytes=_MAX_REVOCATIONS_BYTES,
        max_msgs_per_subject=1,
        num_replicas=bus.settings.replicas,
        allow_rollup_hdrs=True,
        deny_delete=True,
        duplicate_window=min(120.0, ttl_secs),
    )
    try:
        current = (await bus.js.stream_info(REVOCATIONS_STREAM)).config
    except NotFoundError:
        await bus.js.add_stream(config)
    else:
        if (current.max_age or 0.0) < ttl_secs:
            await bus.js.update_stream(config)
