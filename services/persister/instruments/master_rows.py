"""The file format of Upstox's instruments master."""

import re
import zlib
from decimal import Decimal
from itertools import accumulate
from typing import Annotated, Any, Final, Protocol

import msgspec

from shared.contracts.instruments import Instrument
from shared.contracts.subjects import MAX_KEY_CHARS
from shared.errors import Unavailable
from shared.market.exchange_time import ist_date

_CHUNK_BYTES: Final = 1 << 16
_GZIP_MAGIC: Final = b"\x1f\x8b"
_PAISE_PER_RUPEE: Final = 100
# The years 2000 and 2100: a number of seconds or microseconds is far outside.
_EARLIEST_EXPIRY_MS: Final = 946_684_800_000
_LATEST_EXPIRY_MS: Final = 4_102_444_800_000
_MAX_DIGITS: Final = 400
_MAX_DEPTH: Final = 50
_DIGITS_AS_0: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_RUN: Final = b"0" * (_MAX_DIGITS + 1)
_NO_STRUCTURE: Final = bytes(set(range(256)) - set(b'"[]{}'))
_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


Text = Annotated[str, msgspec.Meta(max_length=256)]
RequiredText = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[^|]+\|[^|]+$", max_length=MAX_KEY_CHARS)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class MasterRow(msgspec.Struct):
    """The fields of a row that are used. A row lacks fields that do not apply to it.

    The bounds are far outside of what Upstox sends, and inside of what MongoDB stores.
    """

    instrument_key: Key
    segment: Word
    exchange: Word
    instrument_type: Word
    trading_symbol: RequiredText
    name: Text = ""
    short_name: Text = ""
    exchange_token: Text = ""
    isin: Text | None = None
    lot_size: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] | None = None
    tick_size: Amount | None = None
    """In paise."""
    freeze_quantity: Amount | None = None
    expiry: Annotated[int, msgspec.Meta(ge=_EARLIEST_EXPIRY_MS, le=_LATEST_EXPIRY_MS)] | None = None
    """Epoch ms."""
    strike_price: Amount | None = None
    underlying_key: Text | None = None
    underlying_symbol: Text | None = None
    qty_multiplier: Amount | None = None
    mtf_enabled: bool = False
    """Whether the instrument can be bought on margin (margin trading facility)."""

    def __post_init__(self) -> None:
        """Raises ValueError for text that cannot be stored."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                _check_text(name, value)


def master_row(raw: object) -> MasterRow:
    """The row of a JSON value as ijson decodes it; null means absent.

    Raises msgspec.ValidationError.
    """
    if isinstance(raw, dict):
        raw = {
            name: float(value) if isinstance(value, Decimal) else value
            for name, value in raw.items()
            if value is not None
        }
    return msgspec.convert(raw, MasterRow, strict=False)


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: not valid Unicode") from None
    if "\0" in text:
        raise ValueError(f"{name}: contains NUL")


def instrument_from_row(row: MasterRow, *, has_derivatives: bool = False) -> Instrument:
    """The instrument that a row describes.

    `has_derivatives`: whether another row has it as its underlying.
    """
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
        multiplier=_whole(row.qty_multiplier),
        has_derivatives=has_derivatives,
    )


def _whole(number: float | None) -> int | None:
    """A positive whole number; None for any other."""
    return int(number) if number and number.is_integer() else None


class ByteStream(Protocol):
    """The body of a response."""

    async def read(self, n: int, /) -> bytes:
        """At most `n` of the next bytes; none at the end."""
        ...


class _JsonBounds:
    """Refuses JSON that ijson does not survive, before ijson gets it.

    An integer of more than 4 300 digits ends the process, and the memory for nested values grows
    with the square of their depth.
    """

    def __init__(self) -> None:
        self._last_digits = b""
        self._escape = b""
        self._depth = 0
        self._is_in_string = False

    def check(self, chunk: bytes) -> None:
        """Raises Unavailable if the file up to the end of `chunk`, its next bytes, is refused."""
        digits = self._last_digits + chunk.translate(_DIGITS_AS_0)
        if _LONG_RUN in digits:
            raise Unavailable(f"the master has a number of more than {_MAX_DIGITS} digits")
        self._last_digits = digits[-_MAX_DIGITS:]
        brackets = self._brackets(chunk)
        depths = list(accumulate(map(_STEPS.__getitem__, brackets), initial=self._depth))
        if max(depths) > _MAX_DEPTH:
            raise Unavailable(f"the master is nested more than {_MAX_DEPTH} levels deep")
        self._depth = depths[-1]

    def _brackets(self, chunk: bytes) -> bytes:
        """The brackets of a chunk that are not in a string."""
        chunk = self._escape + chunk
        self._escape = b""
        if b"\\" in chunk:
            chunk = _ESCAPED.sub(b"", chunk)
            self._escape = b"\\" if chunk.endswith(b"\\") else b""
        # Two quotes without a bracket between them do not change what is in a string.
        marks = chunk.translate(None, _NO_STRUCTURE).replace(b'""', b"")
        parts = marks.split(b'"')
        outside = b"".join(parts[self._is_in_string :: 2])
        self._is_in_string ^= len(parts) % 2 == 0
        return outside


class MasterFile:
    """The bytes of the master's JSON, decompressed if they are gzip, as ijson reads them."""

    def __init__(self, content: ByteStream) -> None:
        self._content = content
        self._bounds = _JsonBounds()
        self._gzip: Any = None
        self._is_first = True

    async def read(self, size: int) -> bytes:
        """The next bytes; none at the end.

        Raises Unavailable if the file is truncated, or has a number of more than 400 digits or
        values that are nested more than 50 levels deep.
        """
        if size == 0:  # ijson calls this to learn whether it will get bytes or text
            return b""
        data = await self._next()
        self._bounds.check(data)
        return data

    async def _next(self) -> bytes:
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
