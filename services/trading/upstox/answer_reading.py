"""Classification of Upstox's answers to commands, and the data of its answers to reads.

A refusal needs a status that Upstox documents for refusals and an error body of Upstox: the same
status from a proxy or a firewall in between proves nothing about the order.
"""

import json
import re
from decimal import Decimal
from typing import Final

import msgspec

from services.trading.upstox.answers import Answer, Lost, Refused, Taken
from services.trading.upstox.row_fields import clean_words
from shared.errors import UpstoxUnauthorised, UpstoxUnavailable

MAX_WORDS_CHARS: Final = 300
MAX_ORDER_ID_CHARS: Final = 64

_REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 406, 410, 423, 429})
_UNAUTHORISED: Final = 401
_STATIC_IP_REQUIRED: Final = "UDAPI1221"
"""Status 401, but the token is good: the call came from another address than the registered one."""
_CODE: Final = re.compile(r"UDAPI[0-9]{1,10}", re.ASCII)
_ORDER_ID: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_ORDER_ID_CHARS}}}", re.ASCII)


class HttpAnswer(msgspec.Struct, frozen=True):
    """The status and the body of a complete HTTP response."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status <= 299


class Unreadable(ValueError):
    """A text that is no JSON."""


def json_of(body: bytes | str) -> object:
    """The decoded JSON, fractions as exact decimals. Raises Unreadable, and nothing else."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


def read_placed(answer: HttpAnswer) -> Answer:
    """The meaning of an answer to a new order."""
    return _command_answer(answer, "order_ids")


def read_changed(answer: HttpAnswer, broker_order_id: str) -> Answer:
    """The meaning of an answer to a modification or cancellation.

    A refusal leaves the order as it was.
    """
    read = _command_answer(answer, "order_id")
    if isinstance(read, Taken) and read.broker_order_id != broker_order_id:
        return Lost("the answer has the id of another order")
    return read


def read_data(answer: HttpAnswer, nothing_code: str | None = None) -> object:
    """The data of an answer to a read; an empty list if Upstox refuses it with `nothing_code`.

    Raises UpstoxUnauthorised if Upstox itself refuses the token, UpstoxUnavailable otherwise.
    """
    if not answer.is_success:
        refusal = _refusal(answer)
        if refusal is None:
            raise UpstoxUnavailable(f"HTTP {answer.status} without an error of Upstox")
        if refusal.code == nothing_code and answer.status in _REFUSALS:
            return []
        words = f"HTTP {answer.status} {refusal.code}: {refusal.detail}"
        if answer.status == _UNAUTHORISED and refusal.code != _STATIC_IP_REQUIRED:
            raise UpstoxUnauthorised(words)
        raise UpstoxUnavailable(words)
    try:
        envelope = json_of(answer.body)
    except Unreadable as error:
        raise UpstoxUnavailable(f"the answer is not JSON: {error}") from None
    if not isinstance(envelope, dict) or envelope.get("status") != "success":
        raise UpstoxUnavailable("the answer does not report success")
    return envelope.get("data")


def _command_answer(answer: HttpAnswer, field: str) -> Answer:
    if not answer.is_success:
        refusal = _refusal(answer) if answer.status in _REFUSALS else None
        return refusal or Lost(f"HTTP {answer.status}")
    try:
        envelope = json_of(answer.body)
    except Unreadable:
        return Lost(f"HTTP {answer.status} with a body that is not JSON")
    if not isinstance(envelope, dict) or envelope.get("status") != "success":
        return Lost(f"HTTP {answer.status} without success")
    data = envelope.get("data")
    value = data.get(field) if isinstance(data, dict) else None
    found = value if isinstance(value, list) else [value]
    if not found or found == [None]:
        return Lost("success without an order id")
    if len(found) > 1:
        return Lost(f"{len(found)} order ids for one order: {' '.join(map(_excerpt, found[:25]))}")
    (order_id,) = found
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        return Lost("success with an order id that is no identifier")
    return Taken(order_id)


def _refusal(answer: HttpAnswer) -> Refused | None:
    """Upstox's code and words; None if the body is not an error of Upstox."""
    try:
        envelope = json_of(answer.body)
    except Unreadable:
        return None
    if not isinstance(envelope, dict) or envelope.get("status") != "error":
        return None
    errors = envelope.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return None
    code = first.get("errorCode") or first.get("error_code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    message = first.get("message")
    return Refused(code, clean_words(message, MAX_WORDS_CHARS) if isinstance(message, str) else "")


def _excerpt(order_id: object) -> str:
    return clean_words(str(order_id)[:MAX_ORDER_ID_CHARS], MAX_ORDER_ID_CHARS)
