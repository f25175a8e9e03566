"""The response bodies of figures, for the OpenAPI document."""

from typing import Annotated

from pydantic import Field

from services.gateway.rest.models import Schema

Count = Annotated[int, Field(ge=0)]


class ModeFigures(Schema):
    """How much of one of Upstox's subscription modes is used."""

    subscribed: Count
    limit: Count
    """Upstox's limit for one connection, beside the other modes that are in use."""


class Figures(Schema):
    """Current figures of this gateway. Other gateways have figures of their own."""

    gateway_id: str
    streams: Count
    """Open WebSocket streams."""
    max_streams: Count
    """How many there can be at most."""
    users: Count
    """Users with an open stream."""
    subscriptions: dict[str, Count]
    """Instruments that streams subscribe to by their key, by channel."""
    max_keys_per_stream: Count
    """How many keys and wildcards one stream can have, over all channels."""
    outcomes: dict[str, Count]
    """Instruments that streams need of the feed, by outcome: `live`, `pending`, `no_capacity` above
    Upstox's limit for a connection, `unknown`, `needs_plus`."""
    instruments: Count
    """Instruments with a last quote."""
    epoch: Annotated[int, Field(ge=0)] | None = None
    """The term of the ingest that leads; absent until ingest has published a status."""
    newest_quote_age_ms: Count | None = None
    """Time since ingest received the newest quote that this gateway has; absent without a quote."""
    modes: dict[str, ModeFigures] | None = None
    """Subscriptions of ingest at Upstox, by mode; absent if ingest is not heard or has no
    connection."""


class StoredHistory(Schema):
    """How far bars are stored, and what is missing, over all instruments."""

    stored_until_ms: Count | None = None
    """End of the last five minutes whose bars are stored; absent if there never was one."""
    partial_bars: Count
    """Stored bars of which a trade may be missing; counted up to 1 000, like gaps."""
    open_gaps: Count
    """Gaps that are still to be repaired."""
    abandoned_gaps: Count
    """Gaps for which Upstox has no candles."""
