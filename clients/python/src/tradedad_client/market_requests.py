"""HTTP requests for instruments, bars, last quotes and the state of the system. Pure."""

from collections.abc import Sequence

from tradedad_client.http_request import Request, path_segment, with_query
from tradedad_client.times import Moment, moment_text


def search(
    words: str, *, types: Sequence[str], segments: Sequence[str], expiry: str | None, limit: int
) -> Request:
    """Search instruments."""
    query: dict[str, str | Sequence[str]] = {"q": words, "limit": str(limit)}
    optional = {"type": types, "segment": segments, "expiry": expiry}
    return _get("/v1/instruments", query | {name: one for name, one in optional.items() if one})


def instruments(keys: Sequence[str]) -> Request:
    """Read instruments by key."""
    return _get("/v1/instruments", {"keys": keys})


def instrument(key: str) -> Request:
    """Read an instrument with its reference data."""
    return Request("GET", f"/v1/instruments/{path_segment('key', key)}")


def bars(
    key: str, interval: str, start: Moment, end: Moment | None, *, limit: int, cursor: str | None
) -> Request:
    """Read a page of bars."""
    query = {"key": key, "interval": interval}
    return _get("/v1/bars", query | _range(start, end, limit, cursor))


def gaps(key: str, start: Moment, end: Moment | None, *, limit: int, cursor: str | None) -> Request:
    """Read a page of gaps."""
    return _get("/v1/gaps", {"key": key} | _range(start, end, limit, cursor))


def option_chain(underlying: str, expiry: str | None) -> Request:
    """Read the options on an underlying that expire on one day."""
    query = {"underlying": underlying}
    return _get("/v1/option-chain", query | ({"expiry": expiry} if expiry is not None else {}))


def quotes(keys: Sequence[str]) -> Request:
    """Read last quotes."""
    return _get("/v1/quotes", {"keys": keys})


def status() -> Request:
    """Read the state of the system."""
    return Request("GET", "/v1/status")


def _range(start: Moment, end: Moment | None, limit: int, cursor: str | None) -> dict[str, str]:
    query = {"from": moment_text("start", start), "limit": str(limit)}
    if end is not None:
        query["to"] = moment_text("end", end)
    if cursor is not None:
        query["cursor"] = cursor
    return query


def _get(path: str, query: dict[str, str | Sequence[str]] | dict[str, str]) -> Request:
    return Request("GET", with_query(path, query))
