"""Types of settings: each states its rule in the message of its error."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, TypeVar, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

T = TypeVar("T")

_MAX_SECS: Final = 1e9
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NATS_SCHEMES: Final = ("nats", "tls", "ws", "wss")
_MAX_PATH_CHARS: Final = 1_024


def _split(value: str, schemes: tuple[str, ...]) -> SplitResult:
    """Split a URL. Raises ValueError with the rule that it breaks."""
    expected = " or ".join(f"{scheme}://" for scheme in schemes)
    if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ValueError(f"must start with {expected}")
    if re.search(r"[\s\x00-\x1f\x7f\\]", value):
        raise ValueError("must not contain spaces, control characters or backslashes")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        reason = "the port is not a number up to 65535" if "ort" in str(error) else str(error)
        raise ValueError(f"is not a valid URL: {reason}") from None
    if not parts.hostname or port == 0:
        raise ValueError(f"must have a host name after {expected}, and a port above 0 if any")
    _host(parts.hostname)
    return parts


def _http_url(value: str) -> str:
    _split(value, ("http", "https"))
    return value.rstrip("/")


def _optional_http_url(value: str) -> str:
    return _http_url(value) if value else value


def _collector_url(value: str) -> str:
    if not value:
        return value
    parts = _split(value, ("http", "https"))
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must not contain a user, a password, a query or a fragment")
    return value.rstrip("/")


def _proxy_url(value: SecretStr) -> SecretStr:
    if value.get_secret_value():
        _split(value.get_secret_value(), ("http", "https"))
    return value


def _nats_urls(value: str) -> str:
    urls = [url.strip() for url in value.split(",")]
    for url in urls:
        if not url:
            raise ValueError("must be one or more URLs, such as nats://127.0.0.1:4222")
        parts = _split(url, _NATS_SCHEMES)
        if "@" in parts.netloc:
            raise ValueError("must not contain a user or a password; passwords are other settings")
    return ",".join(urls)


def _mongo_url(value: SecretStr) -> SecretStr:
    """Check scheme and hosts; the driver checks the options. No message repeats the URL."""
    scheme, separator, rest = value.get_secret_value().partition("://")
    if not separator or scheme not in ("mongodb", "mongodb+srv"):
        raise ValueError("must start with mongodb:// or mongodb+srv://")
    authority = rest.partition("/")[0].partition("?")[0]
    try:
        for host in authority.rpartition("@")[2].split(","):
            _split(f"http://{host}", ("http",))
    except ValueError:
        raise ValueError(
            "is not a valid MongoDB URL: it must have host names or host:port after mongodb://, "
            "and a password's / : @ must be written as %2F %3A %40"
        ) from None
    return value


def _origin(value: str) -> str:
    if ";" in value:
        raise ValueError("must be separated by commas, not by semicolons")
    parts = _split(value, ("http", "https"))
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be only scheme, host and port, such as https://trade.example")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _network(value: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value)
    except ValueError:
        pass
    try:
        loose = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{value!r} is not an IP network such as 10.0.0.0/8") from None
    raise ValueError(f"{value!r} has bits set outside its network; did you mean {loose}?")


def _host(value: str) -> str:
    host = value.removeprefix("[").removesuffix("]") if value.startswith("[") else value
    try:
        ip_address(host)
    except ValueError:
        # Digits and dots alone are a mistyped IPv4 address.
        if not _HOST_NAME.fullmatch(host) or re.fullmatch(r"[0-9.]+", host) or len(host) > 253:
            raise ValueError(
                "must be an IP address or a host name, without a scheme or a port"
            ) from None
    return host


def _path(value: object) -> object:
    if isinstance(value, str):
        if not value:
            raise ValueError("must not be empty")
        if len(value) > _MAX_PATH_CHARS:
            raise ValueError(f"must be a path of at most {_MAX_PATH_CHARS} characters")
        if not value.isprintable():
            raise ValueError("must be a path of printable characters")
    return value


@dataclass(frozen=True)
class PathRule:
    """A rule for a path that is checked when a process reads its settings, as it reads the disk."""

    problem: Callable[[Path], str | None]
    """Returns the rule that the path breaks, or None."""


def path_rule(field: FieldInfo) -> PathRule | None:
    """The rule of the field's type, also if the type is optional."""
    metadata = [*field.metadata]
    for part in get_args(field.annotation):
        metadata += getattr(part, "__metadata__", ())
    return next((item for item in metadata if isinstance(item, PathRule)), None)


def _file(path: Path) -> str | None:
    """A file in an existing directory. The file itself may be written later."""
    if path.is_dir():
        return "is a directory, not a file"
    return None if path.parent.is_dir() else "is in a directory that does not exist"


def _existing_dir(path: Path) -> str | None:
    return None if path.is_dir() else "is not a directory"


def _each(convert: Callable[[str], T]) -> Callable[[object], object]:
    """A validator that converts the texts between commas."""

    def convert_all(value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(convert(part.strip()) for part in value.split(",") if part.strip())

    return convert_all


Port = Annotated[int, Field(ge=0, le=65_535)]
Secs = Annotated[float, Field(ge=0.001, le=_MAX_SECS, allow_inf_nan=False)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
OptionalHttpUrl = Annotated[str, AfterValidator(_optional_http_url)]
"""Empty for none."""
CollectorUrl = Annotated[str, AfterValidator(_collector_url)]
"""Is logged, so it holds no password; empty for none."""
NatsUrls = Annotated[str, AfterValidator(_nats_urls)]
"""URLs of servers, separated by commas."""
MongoUrl = Annotated[SecretStr, AfterValidator(_mongo_url)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy_url)]
"""May contain a password; empty for none."""
Host = Annotated[str, AfterValidator(_host)]
"""An IP address or a host name; an IPv6 address may have brackets."""
Password = Annotated[SecretStr, Field(min_length=1)]
FilePath = Annotated[Path, BeforeValidator(_path), PathRule(_file)]
ExistingDir = Annotated[Path, BeforeValidator(_path), PathRule(_existing_dir)]
AnyPath = Annotated[Path, BeforeValidator(_path)]
Origins = Annotated[frozenset[str], NoDecode, BeforeValidator(_each(_origin))]
"""Web origins, separated by commas."""
Networks = Annotated[
    frozenset[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_each(_network))
]
"""IP networks, separated by commas."""
