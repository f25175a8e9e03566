"""Reads until when TLS certificates are valid: from servers that present them, or from files.

A server presents what it has loaded, so a certificate that was renewed without a restart is seen
as the old one. Nothing is verified: only the end of the certificate is wanted.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from operations.server_metrics import metrics
from operations.server_metrics.figures import Figures
from shared.runtime.logs import get_logger

log = get_logger(__name__)

GAUGES: Final = (metrics.CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS, metrics.CERTIFICATE_READ)
_TIMEOUT_SECS: Final = 5.0
_MAX_FILE_BYTES: Final = 1 << 20
_MAX_INFO_BYTES: Final = 1 << 16
FORM: Final = "NAME=file:PATH, NAME=tls:HOST:PORT or NAME=nats:HOST:PORT"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a certificate is read."""

    name: str
    kind: str
    """`file`; `tls`: a server that begins with TLS; `nats`: one that first sends its INFO."""
    place: str


def source(text: str) -> Source:
    """The source that an argument names. Raises ValueError."""
    name, _, rest = text.partition("=")
    kind, _, place = rest.partition(":")
    is_address = place.rpartition(":")[2].isdecimal() and bool(place.rpartition(":")[0])
    if not name or not ((kind == "file" and place) or (kind in ("tls", "nats") and is_address)):
        raise ValueError(f"{text!r} is not {FORM}")
    return Source(name, kind, place)


class Certificates:
    """The certificates of a deployment."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    async def read(self) -> Figures:
        """One round; a certificate that cannot be read costs nothing of the others."""
        figures = Figures()
        await asyncio.gather(*(self._certificate(one, figures) for one in self._sources))
        return figures

    async def _certificate(self, one: Source, figures: Figures) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_SECS):
                certificate = await _read(one)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            log.warning("certificate cannot be read", certificate=one.name, error=repr(error))
            figures.set(metrics.CERTIFICATE_READ, 0, one.name)
            return
        end_secs = certificate.not_valid_after_utc.timestamp()
        figures.set(metrics.CERTIFICATE_READ, 1, one.name)
        figures.set(metrics.CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS, end_secs, one.name)


async def _read(one: Source) -> x509.Certificate:
    if one.kind == "file":
        return x509.load_pem_x509_certificate(await asyncio.to_thread(_file, Path(one.place)))
    host, _, port = one.place.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    begins_with_tls = one.kind == "tls"
    reader, writer = await asyncio.open_connection(
        host.strip("[]"), int(port), ssl=context if begins_with_tls else None, limit=_MAX_INFO_BYTES
    )
    try:
        if not begins_with_tls:
            await reader.readuntil(b"\r\n")
            await writer.start_tls(context)
        presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(presented or b"")
    finally:
        writer.close()


def _file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_FILE_BYTES)
