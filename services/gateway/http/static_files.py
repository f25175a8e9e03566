"""Serves the files of the web page from memory."""

import gzip
import mimetypes
import re
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from aiohttp import ETag, hdrs, web

from services.gateway.http import page_reports
from services.gateway.http.access import AccessControl
from shared.errors import ConfigError
from shared.runtime.logs import get_logger
from shared.web.forwarded import ForwardedHeaders

log = get_logger(__name__)

OWN_PAGE: Final = Path(__file__).parents[1] / "web"
"""The trader's page, which `make web` builds; served unless another folder is set."""
_NOT_BUILT: Final = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Trade Dad</title>'
    b"<p>The page is not built. Run <code>make web</code>, and start the gateway again."
)
_INDEX: Final = "index.html"
VIEWS: Final = ("/i/{key}", "/l/{list}")
"""The addresses of the page's views (web/src/ui/route.ts): each is answered with the page itself."""
_SETTING: Final = "TRADEDAD_GATEWAY_PAGE_DIR"
_MAX_BYTES: Final = 32 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9._/-]+")
_COMPRESSED: Final = frozenset({".html", ".css", ".js", ".mjs", ".svg", ".json", ".txt", ".map"})
_PREPARED: Final = ".gz"
"""Of a file beside `NAME` that has the same content, compressed better than at the start."""
# Bundlers put files into this folder whose names contain a hash of their content.
_HASHED_NAMES: Final = "/assets/"
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
        "form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'; "
        # Firefox supports only the older of the two.
        f"report-uri {page_reports.PATH}; report-to page"
    ),
    "Reporting-Endpoints": f'page="{page_reports.PATH}"',
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
    """The content and the headers of one file."""

    body: bytes
    gzipped: bytes | None
    content_type: str
    etag: str
    cache_control: str


def read_files(folder: Path) -> dict[str, File]:
    """All files below `folder` by their URL path, without hidden and prepared ones.

    Raises ConfigError if `folder` has no index.html, holds a link that leads out of it, or is
    larger than 32 MiB.
    """
    root = folder.resolve()
    files: dict[str, File] = {}
    size = 0
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if any(part.startswith(".") for part in name.parts) or not path.is_file():
            continue
        if _NAME.fullmatch(name.as_posix()) is None:
            raise ConfigError(
                [f"{_SETTING}: {name} has other characters than letters, digits and ._-"]
            )
        if not path.resolve().is_relative_to(root):
            raise ConfigError([f"{_SETTING}: {name} leads out of {folder}"])
        size += path.stat().st_size
        if size > _MAX_BYTES:
            raise ConfigError([f"{_SETTING}: {folder} holds more than {_MAX_BYTES >> 20} MiB"])
        if path.suffix == _PREPARED and path.with_suffix("").is_file():
            continue
        url_path = "/" if name == Path(_INDEX) else f"/{name.as_posix()}"
        files[url_path] = _load(url_path, path)
    if "/" not in files:
        raise ConfigError([f"{_SETTING}: {folder} has no {_INDEX}"])
    return files


def page_files(folder: Path | None) -> dict[str, File]:
    """The files of `folder`, or of the built-in page.

    In a source tree where that was not built, a page that says so, and an entry in the log.
    """
    if folder is not None:
        return read_files(folder)
    if (OWN_PAGE / _INDEX).is_file():
        return read_files(OWN_PAGE)
    log.warning("page_not_built", remedy="make web")
    return {"/": _file("/", _INDEX, _NOT_BUILT)}


def _load(url_path: str, path: Path) -> File:
    body = path.read_bytes()
    return _file(url_path, path.name, body, _prepared(path, body))


def _prepared(path: Path, body: bytes) -> bytes | None:
    """The content of `NAME.gz`; None if there is none, or it is not `body` compressed."""
    prepared = path.with_name(path.name + _PREPARED)
    try:
        with gzip.open(prepared) as file:
            is_same = file.read(len(body) + 1) == body
    except (OSError, EOFError, zlib.error):
        return None
    return prepared.read_bytes() if is_same else None


def _file(url_path: str, name: str, body: bytes, gzipped: bytes | None = None) -> File:
    suffix = Path(name).suffix.lower()
    guessed_type, _ = mimetypes.guess_type(name)
    if gzipped is None and suffix in _COMPRESSED:
        gzipped = gzip.compress(body, mtime=0)
    is_immutable = url_path.startswith(_HASHED_NAMES)
    return File(
        body=body,
        gzipped=gzipped,
        content_type=_TYPES.get(suffix, guessed_type or "application/octet-stream"),
        etag=blake2b(body, digest_size=12).hexdigest(),
        cache_control="public, max-age=31536000, immutable" if is_immutable else "no-cache",
    )


class StaticFiles:
    """Serves the files that were read at the start. The file system is not accessed later."""

    def __init__(
        self, files: dict[str, File], access: AccessControl, forwarded: ForwardedHeaders
    ) -> None:
        self._files = files
        self._access = access
        self._forwarded = forwarded

    def routes(self) -> list[web.RouteDef]:
        """One route for each file and each view of the page."""
        return [web.get(url_path, self.file) for url_path in (*self._files, *VIEWS)]

    async def file(self, request: web.Request) -> web.Response:
        """The file of the request's path; 304 if the browser has this version."""
        self._access.admit_anonymous(request)
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else request.path
        file = self._files["/" if path in VIEWS else path]
        headers = SECURITY_HEADERS | {
            hdrs.CACHE_CONTROL: file.cache_control,
            hdrs.CONTENT_TYPE: file.content_type,
            hdrs.ETAG: f'W/"{file.etag}"',
            hdrs.VARY: "Accept-Encoding",
        }
        if self._forwarded.scheme(request) == "https":
            headers["Strict-Transport-Security"] = _HSTS
        etags: tuple[ETag, ...] = request.if_none_match or ()
        if any(etag.value in (file.etag, "*") for etag in etags):
            del headers[hdrs.CONTENT_TYPE]
            return web.Response(status=304, headers=headers)
        body = file.body
        if file.gzipped is not None and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            headers[hdrs.CONTENT_ENCODING] = "gzip"
            body = file.gzipped
        return web.Response(body=body, headers=headers)
