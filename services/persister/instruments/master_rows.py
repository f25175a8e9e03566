"""The file format of Upstox's instruments master."""

import zlib
from typing import Any, Final, Protocol

import msgspec

from shared.contracts.instruments import Instrument
from shared.errors import Unavailable
from shared.market.exchange_time import ist_date

_CHUNK_BYTES: Final = 1 << 16
_GZIP_MAGIC: Final = b"\x1f\x8b"
_PAISE_PER_RUPEE: Final = 100


class MasterRow(msgspec.Struct):
    """The fields of a row that are used. A row lacks fields that do not apply to it."""

    instrument_key: str
    segment: str
    exchange: str
    instrument_type: str
    trading_symbol: str
    name: str = ""
    short_name: str = ""
    exchange_token: str = ""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: float | None = None
    """In paise."""
    freeze_quantity: float | None = None
    expiry: int | None = None
    """Epoch ms."""
    strike_price: float | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None
    mtf_enabled: bool = False
    """Whether the instrument can be bought on margin (margin trading facility)."""


def instrument_from_row(row: MasterRow) -> Instrument:
    """The instrument that a row describes."""
    is_option = row.instrument_type in ("CE", "PE")
    return Instrument(
        key=row.instrument_key,
        symbol=row.trading_symbol,
        name=row.name or row.short_name or row.trading_symbol,
        segment=row.segment,
        exchange=row.exchange,
        type=row.instrument_type,
        isin=row.isin,
        lot_size=row.lot_size,
        tick_size=None if row.tick_size is None else row.tick_size / _PAISE_PER_RUPEE,
        freeze_quantity=row.freeze_quantity,
        expiry=None if row.expiry is None else ist_date(row.expiry).isoformat(),
        strike=row.strike_price if is_option else None,
        underlying_key=row.underlying_key,
        underlying_symbol=row.underlying_symbol,
    )


class ByteStream(Protocol):
    """The body of a response."""

    async def read(self, n: int, /) -> bytes:
        """At most `n` of the next bytes; none at the end."""
        ...


class MasterFile:
    """The bytes of the master's JSON, decompressed if they are gzip, as ijson reads them."""

    def __init__(self, content: ByteStream) -> None:
        self._content = content
        self._gzip: Any = None
        self._is_first = True

    async def read(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises Unavailable if the file is truncated."""
        if size == 0:  # ijson calls this to learn whether it will get bytes or text
            return b""
        while chunk := self._pending() or await self._content.read(_CHUNK_BYTES):
            if self._is_first:
                self._is_first = False
                if chunk.startswith(_GZIP_MAGIC):
                    self._gzip = zlib.decompressobj(wbits=31)
            if self._gzip is None:
                return chunk
            # A bound on the output, since a small chunk can hold very much.
            if data := self._gzip.decompress(chunk, _CHUNK_BYTES):
                return bytes(data)
        if self._gzip is not None and not self._gzip.eof:
            raise Unavailable("the instruments master is truncated")
        return b""

    def _pending(self) -> bytes:
        """Compressed bytes that were read but not decompressed yet."""
        return b"" if self._gzip is None else bytes(self._gzip.unconsumed_tail)
