"""The files of the web page, read once at the start and served from memory."""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from aiohttp import ETag, hdrs, web

from services.gateway.http.access import AccessControl
from shared.errors import ConfigError
from shared.web.forwarded import ForwardedHeaders

OWN_PAGE: Final = Path(__file__).parents[1] / "page"
"""What is served until another folder is set."""
_INDEX: Final = "index.html"
_VARIABLE: Final = "TRADEDAD_GATEWAY_PAGE_DIR"
_MOST_BYTES: Final = 32 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9._/-]+")
_COMPRESSED: Final = frozenset({".html", ".css", ".js", ".mjs", ".svg", ".json", ".txt", ".map"})
# Where bundlers put files that are named by what is in them.
_NAMED_BY_CONTENT: Final = "/assets/"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS: Final = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class File:
    """One file, ready to be sent."""

    body: bytes
    gzipped: bytes | None
    content_type: str
    tag: str
    caching: str


def read_files(folder: Path) -> dict[str, File]:
    """All files below `folder` by the path at which they are served.

    Hidden files are left out. Raises ConfigError if there is no page in it, if something in it
    leads out of it, or if it is larger than fits into memory well.
    """
    root = folder.resolve()
    files: dict[str, File] = {}
    size = 0
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if any(part.startswith(".") for part in name.parts) or not path.is_file():
            continue
        if _NAME.fullmatch(name.as_posix()) is None:
            raise ConfigError([f"{_VARIABLE}: {name} is not a name of letters, digits and ._-"])
        if not path.resolve().is_relative_to(root):
            raise ConfigError([f"{_VARIABLE}: {name} leads out of {folder}"])
        size += path.stat().st_size
        if size > _MOST_BYTES:
            raise ConfigError([f"{_VARIABLE}: {folder} holds more than {_MOST_BYTES >> 20} MiB"])
        place = "/" if name == Path(_INDEX) else f"/{name.as_posix()}"
        files[place] = _file(place, path)
    if "/" not in files:
        raise ConfigError([f"{_VARIABLE}: there is no {_INDEX} in {folder}"])
    return files


def _file(place: str, path: Path) -> File:
    body = path.read_bytes()
    suffix = path.suffix.lower()
    guessed, _ = mimetypes.guess_type(path.name)
    is_lasting = place.startswith(_NAMED_BY_CONTENT)
    return File(
        body=body,
        gzipped=gzip.compress(body, mtime=0) if suffix in _COMPRESSED else None,
        content_type=_TYPES.get(suffix, guessed or "application/octet-stream"),
        tag=blake2b(body, digest_size=12).hexdigest(),
        caching="public, max-age=31536000, immutable" if is_lasting else "no-cache",
    )


class StaticFiles:
    """Serves exactly the files that were there at the start: no path leads anywhere else."""

    def __init__(
        self, files: dict[str, File], access: AccessControl, outside: ForwardedHeaders
    ) -> None:
        self._files = files
        self._access = access
        self._outside = outside

    def routes(self) -> list[web.RouteDef]:
        """One for each file."""
        return [web.get(place, self.file) for place in self._files]

    async def file(self, request: web.Request) -> web.Response:
        """The file of this path, or 304 if the browser has it."""
        self._access.anybody(request)
        resource = request.match_info.route.resource
        file = self._files[resource.canonical if resource is not None else request.path]
        headers = SECURITY_HEADERS | {
            hdrs.CACHE_CONTROL: file.caching,
            hdrs.CONTENT_TYPE: file.content_type,
            hdrs.ETAG: f'W/"{file.tag}"',
            hdrs.VARY: "Accept-Encoding",
        }
        if self._outside.scheme(request) == "https":
            headers["Strict-Transport-Security"] = _HSTS
        known: tuple[ETag, ...] = request.if_none_match or ()
        if any(one.value in (file.tag, "*") for one in known):
            del headers[hdrs.CONTENT_TYPE]
            return web.Response(status=304, headers=headers)
        body = file.body
        if file.gzipped is not None and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            headers[hdrs.CONTENT_ENCODING] = "gzip"
            body = file.gzipped
        return web.Response(body=body, headers=headers)
