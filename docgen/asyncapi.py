"""The stream's AsyncAPI document, made of the very types that read and write its messages."""

import ast
import inspect
import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from services.gateway.fanout import channels, interest
from services.gateway.fanout.interest import Outcome
from services.gateway.settings import GatewaySettings
from services.gateway.stream import protocol, replies
from shared import errors
from shared.contracts import messages
from shared.contracts.messages import Bar, Depth, FeedStatus, Quote

_REFERENCE: Final = "#/components/schemas/{name}"

M = TypeVar("M")


class _Batch(msgspec.Struct, Generic[M], kw_only=True, omit_defaults=True):
    data: list[M]
    snapshot: Literal[True] | msgspec.UnsetType = msgspec.UNSET
    """There if this is the newest state of each instrument, of whatever age."""


class Quotes(_Batch[Quote], tag="quotes", tag_field="type"):
    """Prices of instruments, in order; of one instrument the last is the newest."""


class OrderBooks(_Batch[Depth], tag="depth", tag_field="type"):
    """Order books of instruments."""


class Bars(_Batch[Bar], tag="bars", tag_field="type"):
    """Five-minute bars that were closed, or changed by a late trade."""


class OrderEvents(_Batch[dict[str, Any]], tag="orders", tag_field="type"):
    """What happened to the user's orders."""


class Statuses(_Batch[FeedStatus], tag="status", tag_field="type"):
    """The state of the feed, at every change and every 2 s."""


REQUESTS: Final = (
    protocol.Authenticate, protocol.Subscribe, protocol.Unsubscribe, protocol.Ping,
)  # fmt: skip
ANSWERS: Final = (
    replies.Authenticated, replies.Expiring, replies.Ack, replies.Outcomes, replies.Gap,
    replies.Pong, replies.Error,
)  # fmt: skip
BATCHES: Final = (Quotes, OrderBooks, Bars, OrderEvents, Statuses)

_HOMES: Final = (
    vars(protocol),
    vars(replies),
    vars(channels),
    vars(interest),
    vars(messages),
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
    replies.Pong: replies.Pong(3),
    Quotes: Quotes(
        data=[
            Quote(
                key=_KEY, epoch=7, seq=42, ts=1_795_408_200_000, rt=1_795_408_200_012_345,
                ltp=1_390.25, ltq=10, ltt=1_795_408_199_900, volume=1_000,
            )
        ]
    ),
}  # fmt: skip

_OPERATIONS: Final[list[tuple[str, str, Sequence[_Message], Sequence[_Message]]]] = [
    ("authenticate", "Show an access token: first of all, and again to stay longer.",
     [protocol.Authenticate], [replies.Authenticated, replies.Error]),
    ("subscribe", "Ask for a channel, or for more instruments of it.",
     [protocol.Subscribe], [replies.Ack, replies.Error]),
    ("unsubscribe", "Ask for less.",
     [protocol.Unsubscribe], [replies.Ack, replies.Error]),
    ("ping", "Ask for a sign of life.", [protocol.Ping], [replies.Pong, replies.Error]),
]  # fmt: skip


def asyncapi() -> str:
    """The whole document, as JSON."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """The whole document."""
    told = (*REQUESTS, *ANSWERS, *BATCHES)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Trade Dad: the stream",
            "version": "1",
            "description": (
                "Live prices, order books, bars, order events and the state of the feed. "
                "docs/stream.md says the same in words, with limits and orders of messages. "
                "Described as the gateway sees it: it receives requests and sends the rest."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": f"localhost:{GatewaySettings.model_fields['port'].default}",
                "protocol": "ws",
                "description": "The gateway of `make run`; wss behind a proxy that has TLS.",
            }
        },
        "channels": {
            "stream": {
                "address": "/ws",
                "description": (
                    "JSON objects in text frames. The access token is in the first message, "
                    "because a browser cannot set headers here."
                ),
                "messages": {_name(one): _to(f"components/messages/{_name(one)}") for one in told},
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
                "channel": _to("channels/stream"),
                "summary": summary,
                "messages": _of_stream(asked),
                "reply": {"channel": _to("channels/stream"), "messages": _of_stream(answered)},
            }
            for name, summary, asked, answered in _OPERATIONS
        }
        | {
            "deliver": {
                "action": "send",
                "channel": _to("channels/stream"),
                "summary": "What was subscribed to: the last message known at once, then each new one.",
                "messages": _of_stream(BATCHES),
            },
            "tell": {
                "action": "send",
                "channel": _to("channels/stream"),
                "summary": "What a client should know of its stream.",
                "messages": _of_stream(
                    [replies.Expiring, replies.Outcomes, replies.Gap, replies.Error]
                ),
            },
        },
        "components": {
            "messages": {_name(one): _message(one) for one in told},
            "schemas": schemas(told),
        },
    }  # fmt: skip


def schemas(told: Iterable[_Message]) -> dict[str, Any]:
    """A JSON schema (draft 7) of each message, and of what these are made of."""
    _, described = msgspec.json.schema_components(list(told), ref_template=_REFERENCE)
    for name, schema in described.items():
        _plain(schema)
        kind = next(found for home in _HOMES if (found := home.get(name)) is not None)
        if issubclass(kind, Enum):
            lines = [f"`{member.value}`: {text}" for member, text in _documented(kind).items()]
            schema["description"] = "\n".join([schema.get("description", ""), *lines]).strip()
        else:
            _describe(schema, kind)
    return described


def _plain(schema: Any) -> None:
    """Tuples as draft 7, which AsyncAPI is written for, has them."""
    if isinstance(schema, list):
        for one in schema:
            _plain(one)
    elif isinstance(schema, dict):
        if "prefixItems" in schema:
            schema["items"] = schema.pop("prefixItems")
            schema["additionalItems"] = False
        for one in schema.values():
            _plain(one)


def _describe(schema: dict[str, Any], kind: type) -> None:
    for base in kind.__mro__:
        if base.__module__.startswith(("services.", "shared.", "docgen.")):
            for field, text in _docstrings(base).items():
                field_schema = schema["properties"].get(field)
                if field_schema is not None:
                    field_schema.setdefault("description", text)


def _documented(kind: type[Enum]) -> dict[Any, str]:
    return {
        kind[name]: text for name, text in _docstrings(kind).items() if name in kind.__members__
    }


def _docstrings(kind: type) -> dict[str, str]:
    """The docstring of each attribute of a class, as its source has it."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for before, node in zip(tree.body, tree.body[1:], strict=False):
        match before, node:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found


def _name(kind: _Message) -> str:
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _message(kind: _Message) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": _name(kind),
        "summary": " ".join((kind.__doc__ or "").split()),
        "payload": _to(f"components/schemas/{kind.__name__}"),
    }
    if kind in _EXAMPLES:
        message["examples"] = [{"payload": msgspec.to_builtins(_EXAMPLES[kind])}]
    return message


def _to(place: str) -> dict[str, str]:
    return {"$ref": f"#/{place}"}


def _of_stream(kinds: Iterable[_Message]) -> list[dict[str, str]]:
    return [_to(f"channels/stream/messages/{_name(kind)}") for kind in kinds]
