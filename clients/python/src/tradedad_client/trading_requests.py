"""HTTP requests for orders and accounts. Pure."""

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tradedad_client.http_request import Request, path_segment, with_query
from tradedad_client.order_terms import (
    Account,
    NewOrder,
    OrderChanges,
    Product,
    terms_in_json,
)

_COMMAND_KEY: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def new_command_key() -> str:
    """A key that no other command has."""
    return uuid.uuid4().hex


def place(order: NewOrder, command_key: str | None) -> Request:
    """Place an order."""
    return _command("POST", "/v1/orders", command_key, body=terms_in_json(order))


def preview(order: NewOrder) -> Request:
    """Check an order."""
    return Request("POST", "/v1/orders/preview", msgspec.json.encode(terms_in_json(order)))


def preview_changes(order_id: str, changes: OrderChanges) -> Request:
    """Check new terms of an open order. Raises ValueError if nothing is changed."""
    body = msgspec.json.encode(_changed_terms(changes))
    return Request("POST", f"{_order_path(order_id)}/preview", body)


def modify(order_id: str, changes: OrderChanges, command_key: str | None) -> Request:
    """Change an open order. Raises ValueError if nothing is changed."""
    return _command("PATCH", _order_path(order_id), command_key, body=_changed_terms(changes))


def cancel(order_id: str, command_key: str | None) -> Request:
    """Cancel an open order."""
    return _command("DELETE", _order_path(order_id), command_key)


def cancel_all(account: Account, command_key: str | None) -> Request:
    """Cancel all open orders."""
    return _command("DELETE", "/v1/orders", command_key, query=_account(account))


def exit_position(account: Account, key: str, product: Product, command_key: str | None) -> Request:
    """Close a position."""
    query = {**_account(account), "product": Product(product).value}
    return _command("DELETE", f"/v1/positions/{path_segment('key', key)}", command_key, query=query)


def exit_all(account: Account, command_key: str | None) -> Request:
    """Close all positions."""
    return _command("DELETE", "/v1/positions", command_key, query=_account(account))


def set_kill_switch(is_on: bool, command_key: str | None) -> Request:
    """Stop or allow new orders."""
    return _command("PUT", "/v1/kill-switch", command_key, body={"is_on": is_on})


def reset_paper(command_key: str | None) -> Request:
    """Reset the paper account."""
    return _command("POST", "/v1/paper/reset", command_key)


def orders(account: Account, *, open_only: bool, limit: int) -> Request:
    """Read orders."""
    query = {**_account(account), "open_only": str(open_only).lower(), "limit": str(limit)}
    return _query("/v1/orders", query)


def order(order_id: str) -> Request:
    """Read an order."""
    return _query(_order_path(order_id), {})


def trades(account: Account, *, limit: int) -> Request:
    """Read trades."""
    return _query("/v1/trades", {**_account(account), "limit": str(limit)})


def of_account(what: str, account: Account) -> Request:
    """Read `positions`, `holdings`, `funds` or `limits`."""
    return _query(f"/v1/{what}", _account(account))


def events(after: int, *, limit: int) -> Request:
    """Read events after a sequence number."""
    return _query("/v1/orders/events", {"after": str(after), "limit": str(limit)})


def _query(path: str, query: Mapping[str, str]) -> Request:
    return Request("GET", with_query(path, query))


def _command(
    method: str,
    path: str,
    command_key: str | None,
    *,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Request:
    key = new_command_key() if command_key is None else command_key
    if _COMMAND_KEY.fullmatch(key) is None:
        raise ValueError("command_key must be 1 to 64 of the characters A-Z a-z 0-9 _ . : -")
    encoded = None if body is None else msgspec.json.encode(body)
    return Request(method, with_query(path, query or {}), encoded, key)


def _account(account: Account) -> dict[str, str]:
    return {"account": Account(account).value}


def _changed_terms(changes: OrderChanges) -> dict[str, Any]:
    terms = terms_in_json(changes)
    if not terms:
        raise ValueError("give at least one term to change")
    return terms


def _order_path(order_id: str) -> str:
    return f"/v1/orders/{path_segment('order_id', order_id)}"
