"""The file of the instruments master as an HTTP response: its version and its rows."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
import ijson
import msgspec
from aiohttp import hdrs
from multidict import MultiMapping

from services.persister import metrics
from services.persister.instruments.master_rows import MasterFile, MasterRow, master_row
from shared.errors import Unavailable
from shared.runtime.logs import get_logger

log = get_logger(__name__)

MAX_VALIDATOR_CHARS: Final = 256
_ETAG: Final = re.compile(r'(?:W/)?"[!#-~]*"')
_HTTP_DATE: Final = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")
_MAX_EXCERPT_CHARS: Final = 200
_TIMEOUT: Final = aiohttp.ClientTimeout(total=600, sock_connect=10, sock_read=30)


class MasterDownload:
    """One response of the server of the master."""

    def __init__(self, response: aiohttp.ClientResponse, known_validator: str) -> None:
        self._response = response
        self.validator = validator_of(response.headers)
        """Names the version of the file; "" if the server sends none."""
        self.is_unchanged = known_validator != "" and (
            response.status == HTTPStatus.NOT_MODIFIED or self.validator == known_validator
        )
        """Whether the file is the known version. Its rows cannot be read then."""

    async def rows(self, *, is_first_time: bool = True) -> AsyncIterator[MasterRow]:
        """The rows of the file. Rows with a field that is not valid are passed over.

        They are counted and logged the first time that the file is read.
        """
        skipped = 0
        file = MasterFile(self._response.content)
        # With `use_float` one integer of more than 64 bits would end the whole file.
        async for raw in ijson.items_async(file, "item"):
            try:
                yield master_row(raw)
            except msgspec.ValidationError as error:
                if not is_first_time:
                    continue
                metrics.SKIPPED_MASTER_ROWS.inc()
                skipped += 1
                if skipped == 1:
                    log.warning(
                        "row of the master is not valid", error=str(error), row=_excerpt(raw)
                    )
        if skipped:
            log.warning("rows of the master passed over", rows=skipped)


@asynccontextmanager
async def open_master(
    http: aiohttp.ClientSession, url: str, known_validator: str = ""
) -> AsyncIterator[MasterDownload]:
    """Request the file, unless it is the version `known_validator`; "" requests it in any case.

    Raises aiohttp.ClientError, TimeoutError, or Unavailable if the answer is not a file.
    """
    headers = conditional_headers(known_validator)
    async with http.get(url, headers=headers, timeout=_TIMEOUT) as response:
        response.raise_for_status()
        download = MasterDownload(response, known_validator)
        if download.is_unchanged:
            # A server that ignores the condition sends the whole file.
            response.close()
        elif response.status != HTTPStatus.OK:
            raise Unavailable(f"the request for the master got status {response.status}")
        yield download


def validator_of(headers: MultiMapping[str]) -> str:
    """The ETag of a response, else its Last-Modified; "" if it has neither.

    One that is malformed or longer than 256 characters counts as none.
    """
    etag = headers.get(hdrs.ETAG, "")
    if len(etag) <= MAX_VALIDATOR_CHARS and _ETAG.fullmatch(etag):
        return etag
    modified = headers.get(hdrs.LAST_MODIFIED, "")
    return modified if _HTTP_DATE.fullmatch(modified) else ""


def conditional_headers(validator: str) -> dict[str, str]:
    """The header that requests a file only if it is not the version `validator`."""
    if not validator:
        return {}
    is_etag = validator.endswith('"')
    return {hdrs.IF_NONE_MATCH if is_etag else hdrs.IF_MODIFIED_SINCE: validator}


def _excerpt(raw: object) -> str:
    """The beginning of a row, which has its key in most cases."""
    key = raw.get("instrument_key") if isinstance(raw, dict) else None
    return repr(raw if key is None else key)[:_MAX_EXCERPT_CHARS]
