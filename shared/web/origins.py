"""Compares web origins, whether or not they name the default port of their scheme. Pure."""

from typing import Final

_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


def origin_of(scheme: str, host: str) -> str:
    """The origin of a page of `host`, in the form in which browsers send it (RFC 6454, 6.2).

    `host` is the header Host, with or without a port. Some proxies add the default port to it;
    a browser's Origin never has one.
    """
    scheme, host = scheme.strip().lower(), host.strip().lower()
    name, colon, port = host.rpartition(":")
    # An IPv6 address has colons of its own; with a port it is "[::1]:443".
    has_port = bool(colon and name) and (":" not in name or name.endswith("]"))
    if has_port and port in ("", _DEFAULT_PORTS.get(scheme)):
        host = name
    return f"{scheme}://{host}"


def normalised(origin: str) -> str:
    """An Origin in the form of `origin_of`; a text without a scheme, such as `null`, unchanged."""
    scheme, separator, host = origin.partition("://")
    return origin_of(scheme, host) if separator else origin


def is_of_host(origin: str, host: str) -> bool:
    """Whether a page of `origin` was loaded from `host`, whichever scheme the host was reached by."""
    scheme, separator, _ = origin.partition("://")
    return bool(separator) and normalised(origin) == origin_of(scheme, host)
