"""Receives what browsers report of the page: violations of its policy, and its own errors."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.gateway import metrics
from services.gateway.http.access import AccessControl
from services.gateway.http.rate_limit import RateLimiter
from shared.errors import BadMessage, TooLarge
from shared.runtime.clock import Clock
from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger
from shared.web.addresses import client_network
from shared.web.forwarded import ForwardedHeaders
from shared.web.problems import read_bytes

log = get_logger(__name__)

PATH: Final = "/page-reports"
_MAX_BYTES: Final = 16_384
_MAX_REPORTS: Final = 20
_MAX_CHARS: Final = 200
_PER_SEC: Final = 0.5
_BURST: Final = 20
# The kinds of the counter, by the type that the Reporting API or the page names.
_KINDS: Final = {"csp-violation": "policy", "page-error": "error"}
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """One report, with texts that are short and have no control characters."""

    kind: str
    text: str
    source: str


class PageReports:
    """Counts reports, and logs them at a low rate: anybody can post here, without a token."""

    def __init__(self, access: AccessControl, forwarded: ForwardedHeaders, clock: Clock) -> None:
        self._access = access
        self._forwarded = forwarded
        self._clock = clock
        self._addresses = RateLimiter("reports", _PER_SEC, _BURST)
        self._log = LimitedLog(log, clock, per_sec=1, burst=20)
        for kind in (*_KINDS.values(), _OTHER):
            metrics.PAGE_REPORTS.labels(kind)

    def routes(self) -> list[web.RouteDef]:
        """The address that the headers of the page name."""
        return [web.post(PATH, self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        """204 for every well-formed post.

        Raises RateLimited, TooLarge, BadMessage and the errors of bodies.
        """
        self._access.admit_anonymous(request)
        network = client_network(self._forwarded.address(request))
        now = self._clock.monotonic()
        if not self._addresses.take(network, now):
            raise self._addresses.error(network, now)
        body = await read_bytes(request)
        if len(body) > _MAX_BYTES:
            raise TooLarge(f"reports have at most {_MAX_BYTES} bytes")
        for report in reports(body):
            metrics.PAGE_REPORTS.labels(report.kind).inc()
            self._log.info("page report", kind=report.kind, text=report.text, source=report.source)
        return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


def reports(body: bytes) -> list[Report]:
    """The reports of a body: a list of the Reporting API, or one of the older `report-uri`.

    Raises BadMessage.
    """
    try:
        posted = json.loads(body)
    except (ValueError, RecursionError):
        raise BadMessage("the body is not valid JSON") from None
    if not isinstance(posted, (list, dict)):
        raise BadMessage("the body is not a list of reports")
    if isinstance(posted, dict):
        posted = [{"type": "csp-violation", "body": posted.get("csp-report")}]
    return list(_read(posted[:_MAX_REPORTS]))


def _read(posted: list[Any]) -> Iterator[Report]:
    for one in posted:
        if not isinstance(one, dict) or not isinstance(one.get("body"), dict):
            raise BadMessage("a report has no body")
        body = one["body"]
        directive = body.get("effectiveDirective") or body.get("violated-directive")
        blocked = body.get("blockedURL") or body.get("blocked-uri")
        source = body.get("sourceFile") or body.get("source-file") or body.get("source")
        line = body.get("lineNumber") or body.get("line-number")
        text = body.get("message") or f"{_clean(directive)} {_address(blocked)}"
        place = f"{_address(source)}:{_clean(line)}" if source else ""
        kind = one.get("type")
        yield Report(
            _KINDS.get(kind, _OTHER) if isinstance(kind, str) else _OTHER, _clean(text), place
        )


def _address(value: object) -> str:
    """An address without its query and fragment, which may contain private data."""
    return _clean(value).partition("?")[0].partition("#")[0]


def _clean(value: object) -> str:
    """Text or a number as short text without control characters; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value)[:_MAX_CHARS]
    return "".join(char if char.isprintable() else " " for char in text)
