"""A request to the gateway, with its path and query encoded. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Request:
    """A request; it is a command if it has a `command_key`."""

    method: str
    path: str
    """With the query, encoded."""
    body: bytes | None = None
    command_key: str | None = None
    """The Idempotency-Key: the same key is the same command."""
    is_repeatable: bool = True
    """False: once it may have been executed, it is not sent again."""


def with_query(path: str, query: Mapping[str, str | Sequence[str]]) -> str:
    """Return a path with a query; a parameter with several values is repeated."""
    return f"{path}?{urlencode(query, doseq=True, quote_via=quote)}" if query else path


def path_segment(name: str, text: str) -> str:
    """`text` as one segment of a path. Raises ValueError for what would be another path."""
    if text in ("", ".", ".."):
        raise ValueError(f"{name} must not be {text!r}")
    return quote(text, safe="")
