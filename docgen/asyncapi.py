"""Generates the documents of the stream from the types that encode and decode its messages."""

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Generic, TypeVar

import msgspec

from services.gateway.fanout import channels, interest
from services.gateway.fanout.interest import Outcome
from services.gateway.settings import GatewaySettings
from services.gateway.stream import protocol, replies
from shared import errors
from shared.contracts import messages, option_chains, order_terms, trading_replies
from shared.contracts.messages import Bar, Candle, Depth, FeedStatus, Quote
from shared.contracts.option_chains import Chain
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading_replies import EventKind, OrderView, UserEvent
from shared.web.attribute_docs import attribute_docs, inherited_attribute_docs

_REFERENCE: Final = "#/components/schemas/{name}"

M = TypeVar("M")


class _Batch(msgspec.Struct, Generic[M], kw_only=True, omit_defaults=True):
    data: list[M]
    snapshot: bool | msgspec.UnsetType = msgspec.UNSET
    """True if the batch has the newest state of each instrument, of any age; otherwise absent."""


class Quotes(_Batch[Quote], tag="quotes", tag_field="type"):
    """Quotes in order; the last one of an instrument is the newest."""


class OrderBooks(_Batch[Depth], tag="depth", tag_field="type"):
    """Order books of instruments."""


class Chains(_Batch[Chain], tag="chain", tag_field="type"):
    """Option chains: the strikes around the price of an underlying."""


class Candles(_Batch[Candle], tag="candles", tag_field="type"):
    """One-minute candles of Upstox, each once its minute is completed."""


class Bars(_Batch[Bar], tag="bars", tag_field="type"):
    """Five-minute bars that were closed or changed by a late trade."""


class OrderEvents(_Batch[UserEvent], tag="orders", tag_field="type"):
    """Events of the user's orders and accounts, in order."""


class Statuses(_Batch[FeedStatus], tag="status", tag_field="type"):
    """State of the feed, at every change and every 2 s."""


REQUESTS: Final = (
    protocol.Authenticate, protocol.Subscribe, protocol.Unsubscribe, protocol.Ping,
)  # fmt: skip
REPLIES: Final = (
    replies.Authenticated, replies.Expiring, replies.Ack, replies.Outcomes, replies.Gap,
    replies.Pong, replies.Heartbeat, replies.Error,
)  # fmt: skip
BATCHES: Final = (Quotes, OrderBooks, Chains, Candles, Bars, OrderEvents, Statuses)

_NAMESPACES: Final = (
    vars(protocol),
    vars(replies),
    vars(channels),
    vars(interest),
    vars(messages),
    vars(option_chains),
    vars(order_terms),
    vars(trading_replies),
    vars(errors),
    globals(),
)
_Message = type[msgspec.Struct]
_KEY: Final = "NSE_EQ|INE002A01018"
_EXAMPLES: Final[dict[_Message, msgspec.Struct | dict[str, Any]]] = {
    protocol.Authenticate: {"op": "auth", "token": "eyJhbGciOiJFZERTQSJ9.e30.c2ln"},
    protocol.Subscribe: {"op": "subscribe", "id": 1, "channel": "quotes", "keys": [_KEY]},
    protocol.Unsubscribe: {"op": "unsubscribe", "id": 2, "channel": "quotes", "keys": [_KEY]},
    protocol.Ping: {"op": "ping", "id": 3},
    replies.Ack: replies.Ack(1, {_KEY: Outcome.LIVE}),
    replies.Pong: replies.Pong(1_795_408_200_000, 3),
    replies.Heartbeat: replies.Heartbeat(1_795_408_200_000, feed_is_current=True),
    Quotes: Quotes(
        data=[
            Quote(
                key=_KEY, epoch=7, seq=42, ts=1_795_408_200_000, rt=1_795_408_200_012_345,
                ltp=1_390.25, ltq=10, ltt=1_795_408_199_900, volume=1_000,
                open=1_388.5, high=1_392.0, low=1_386.75,
            )
        ]
    ),
    OrderEvents: OrderEvents(
        data=[
            UserEvent(
                seq=42, kind=EventKind.ORDER, at=1_795_408_200_000,
                order=OrderView(
                    order_id="o-1", account=Account.PAPER, key=_KEY, side=Side.BUY,
                    product=Product.INTRADAY, order_type=OrderType.LIMIT, validity=Validity.DAY,
                    quantity=10, filled_quantity=0, state="open", created_at=1_795_408_200_000,
                    event_count=3, price=Decimal("1390.25"),
                ),
            )
        ]
    ),
}  # fmt: skip

_OPERATIONS: Final[list[tuple[str, str, Sequence[_Message], Sequence[_Message]]]] = [
    ("authenticate", "Send an access token: the first message, and again to renew it.",
     [protocol.Authenticate], [replies.Authenticated, replies.Error]),
    ("subscribe", "Subscribe to a channel, or to more instruments of it.",
     [protocol.Subscribe], [replies.Ack, replies.Error]),
    ("unsubscribe", "Unsubscribe from a channel or from instruments of it.",
     [protocol.Unsubscribe], [replies.Ack, replies.Error]),
    ("ping", "Check that the gateway responds.", [protocol.Ping], [replies.Pong, replies.Error]),
]  # fmt: skip


def asyncapi() -> str:
    """Return the document as JSON."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """Return the document."""
    every_type = (*REQUESTS, *REPLIES, *BATCHES)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Trade Dad: the stream",
            "version": "1",
            "description": (
                "Live quotes, order books, option chains, candles, bars, order events and the state of the feed. "
                "docs/stream.md describes the protocol in words, with its limits and the order "
                "of messages. Operations are named from the gateway's side: it receives "
                "requests and sends all other messages."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": f"localhost:{GatewaySettings.model_fields['port'].default}",
                "protocol": "ws",
                "description": "The gateway of `make run`; wss behind a proxy that terminates TLS.",
            }
        },
        "channels": {
            "stream": {
                "address": "/ws",
                "description": (
                    "JSON objects in text frames. The first message has the access token, because "
                    "browsers cannot set headers of a WebSocket handshake."
                ),
                "messages": {
                    _name(kind): _ref(f"components/messages/{_name(kind)}") for kind in every_type
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": [
                    {"code": int(code), "name": code.name, "why": why}
                    for code, why in _documented(protocol.CloseCode).items()
                ],
            }
        },
        "operations": {
            name: {
                "action": "receive",
                "channel": _ref("channels/stream"),
                "summary": summary,
                "messages": _in_channel(requests),
                "reply": {"channel": _ref("channels/stream"), "messages": _in_channel(answers)},
            }
            for name, summary, requests, answers in _OPERATIONS
        }
        | {
            "deliver": {
                "action": "send",
                "channel": _ref("channels/stream"),
                "summary": "Messages of subscribed channels: the last known one first, then each new one.",
                "messages": _in_channel(BATCHES),
            },
            "notify": {
                "action": "send",
                "channel": _ref("channels/stream"),
                "summary": "Changes that affect the client's stream.",
                "messages": _in_channel(
                    [
                        replies.Expiring, replies.Outcomes, replies.Gap, replies.Heartbeat,
                        replies.Error,
                    ]
                ),
            },
        },
        "components": {
            "messages": {_name(kind): _message(kind) for kind in every_type},
            "schemas": schemas(every_type),
        },
    }  # fmt: skip


def types() -> str:
    """Return the message types as an OpenAPI document without paths, as JSON.

    Generators of types read OpenAPI, and few of them AsyncAPI.
    """
    description = "The messages of the stream: see stream.asyncapi.json. There are no HTTP paths."
    info = {"title": "Trade Dad stream", "version": "1", "description": description}
    components = {"schemas": described_schemas((*REQUESTS, *REPLIES, *BATCHES))}
    types_only = {"openapi": "3.1.0", "info": info, "paths": {}, "components": components}
    return json.dumps(types_only, indent=1, ensure_ascii=False) + "\n"


def schemas(kinds: Iterable[_Message]) -> dict[str, Any]:
    """Return a JSON schema (draft 7, as AsyncAPI has) of each message type and its fields' types."""
    components = described_schemas(kinds)
    for schema in _tuples(components):
        schema["items"] = schema.pop("prefixItems")
        schema["additionalItems"] = False
    return components


def described_schemas(kinds: Iterable[_Message]) -> dict[str, Any]:
    """Return a JSON schema (draft 2020-12) of each message type and of the types of its fields."""
    _, components = msgspec.json.schema_components(list(kinds), ref_template=_REFERENCE)
    for name, schema in components.items():
        kind = next(value for names in _NAMESPACES if (value := names.get(name)) is not None)
        if issubclass(kind, Enum):
            lines = [f"`{member.value}`: {text}" for member, text in _documented(kind).items()]
            schema["description"] = "\n".join([schema.get("description", ""), *lines]).strip()
        else:
            _describe(schema, kind)
    for schema in _tuples(components):
        del schema["items"]  # false; `maxItems` says the same, and generators know it
    return components


def _tuples(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the schemas of tuples in a schema."""
    for value in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(value, dict | list):
            yield from _tuples(value)
    if isinstance(schema, dict) and "prefixItems" in schema:
        yield schema


def _describe(schema: dict[str, Any], kind: type) -> None:
    for field, text in inherited_attribute_docs(kind).items():
        field_schema = schema["properties"].get(field)
        if field_schema is not None:
            field_schema.setdefault("description", text)


def _documented(kind: type[Enum]) -> dict[Any, str]:
    return {
        kind[name]: text for name, text in attribute_docs(kind).items() if name in kind.__members__
    }


def _name(kind: _Message) -> str:
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _message(kind: _Message) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": _name(kind),
        "summary": " ".join((kind.__doc__ or "").split()),
        "payload": _ref(f"components/schemas/{kind.__name__}"),
    }
    if kind in _EXAMPLES:
        message["examples"] = [{"payload": msgspec.to_builtins(_EXAMPLES[kind])}]
    return message


def _ref(path: str) -> dict[str, str]:
    return {"$ref": f"#/{path}"}


def _in_channel(kinds: Iterable[_Message]) -> list[dict[str, str]]:
    return [_ref(f"channels/stream/messages/{_name(kind)}") for kind in kinds]
