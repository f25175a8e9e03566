"""Rows of the instruments master become instruments, and its file is decompressed in pieces."""

import gzip
import json
import zlib
from typing import Any

import msgspec
import pytest

from services.persister.instruments.master_rows import (
    MasterFile,
    MasterRow,
    instrument_from_row,
    master_row,
)
from shared.errors import Unavailable
from tests.support.builders import MONDAY_10_00

JSON = b'[{"segment": "NSE_EQ"}]' * 40_000


def row(**fields: Any) -> MasterRow:
    defaults: dict[str, Any] = {
        "instrument_key": "NSE_FO|1", "segment": "NSE_FO", "exchange": "NSE",
        "instrument_type": "CE", "trading_symbol": "NIFTY 24000 CE 24 NOV 26", "name": "NIFTY",
    }  # fmt: skip
    return MasterRow(**(defaults | fields))


def test_a_tick_size_in_paise_becomes_rupees() -> None:
    assert instrument_from_row(row(tick_size=5.0)).tick_size == 0.05
    assert instrument_from_row(row()).tick_size is None


def test_an_expiry_becomes_its_date_in_india() -> None:
    assert instrument_from_row(row(expiry=MONDAY_10_00)).expiry == "2026-11-23"
    assert instrument_from_row(row()).expiry is None


@pytest.mark.parametrize(("kind", "strike"), [("CE", 24_000.0), ("PE", 24_000.0), ("FUT", None)])
def test_only_an_option_has_a_strike(kind: str, strike: float | None) -> None:
    future_or_option = row(instrument_type=kind, strike_price=24_000.0)
    assert instrument_from_row(future_or_option).strike == strike


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "RELIANCE INDUSTRIES LTD", "short_name": "Reliance"}, "RELIANCE INDUSTRIES LTD"),
        ({"name": "", "short_name": "Reliance"}, "Reliance"),
        ({"name": "", "trading_symbol": "RELIANCE"}, "RELIANCE"),
    ],
)
def test_an_instrument_without_a_name_has_its_short_name_or_symbol(
    fields: dict[str, str], name: str
) -> None:
    assert instrument_from_row(row(**fields)).name == name


class Content:
    """A response's body that arrives in pieces of `piece_bytes`."""

    def __init__(self, data: bytes, piece_bytes: int) -> None:
        self._data = data
        self._piece_bytes = piece_bytes

    async def read(self, n: int, /) -> bytes:
        size = min(n, self._piece_bytes)
        piece, self._data = self._data[:size], self._data[size:]
        return piece


async def read_all(data: bytes, piece_bytes: int = 1_000) -> list[bytes]:
    file = MasterFile(Content(data, piece_bytes))
    assert await file.read(0) == b""
    pieces = []
    while piece := await file.read(100):
        pieces.append(piece)
    return pieces


@pytest.mark.parametrize("piece_bytes", [2, 1_000, 1 << 20])
async def test_a_file_is_decompressed_if_it_is_gzip(piece_bytes: int) -> None:
    assert b"".join(await read_all(gzip.compress(JSON), piece_bytes)) == JSON
    assert b"".join(await read_all(JSON, piece_bytes=1_000)) == JSON


async def test_a_small_compressed_piece_is_decompressed_in_bounded_pieces() -> None:
    compressed = gzip.compress(JSON)
    pieces = await read_all(compressed, piece_bytes=len(compressed))
    assert max(map(len, pieces)) <= 1 << 16


async def test_a_truncated_gzip_file_is_refused() -> None:
    with pytest.raises(Unavailable):
        await read_all(gzip.compress(JSON)[:-4])


async def test_a_damaged_gzip_file_is_refused() -> None:
    damaged = bytearray(gzip.compress(JSON))
    damaged[len(damaged) // 2] ^= 0xFF
    with pytest.raises((zlib.error, Unavailable)):
        await read_all(bytes(damaged))


async def test_an_empty_file_has_no_bytes() -> None:
    assert await read_all(b"") == []


@pytest.mark.parametrize("piece_bytes", [1, 7, 1 << 16])
async def test_a_number_of_more_than_400_digits_is_refused(piece_bytes: int) -> None:
    for digits in (b"1" * 400, b"-" + b"9" * 400, b"1234567890" * 40 + b"." + b"1" * 400):
        data = b'[{"lot_size":' + digits + b"}]"
        assert b"".join(await read_all(data, piece_bytes)) == data
    with pytest.raises(Unavailable, match="400 digits"):
        await read_all(b'[{"lot_size":' + b"1234567890" * 40 + b"1}]", piece_bytes)
    with pytest.raises(Unavailable, match="400 digits"):
        await read_all(gzip.compress(b"[" + b"1" * 100_000), 1 << 16)


@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 1 << 16])
@pytest.mark.parametrize("before", ["", "[]", "\\", '"', '\\"', '{"\\\\"', "\n[", "]]]}}}"])
async def test_a_file_with_more_than_50_levels_is_refused(piece_bytes: int, before: str) -> None:
    """`before` is a string in front of them, with what looks like levels."""
    text = b"[" + json.dumps(before).encode() + b","
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        data = text + opening * 49 + b"1" + closing * 49 + b"]"
        assert b"".join(await read_all(data, piece_bytes)) == data
        with pytest.raises(Unavailable, match="50 levels"):
            await read_all(text + opening * 50 + b"1" + closing * 50 + b"]", piece_bytes)


@pytest.mark.parametrize("piece_bytes", [1, 7, 1 << 16])
async def test_brackets_in_strings_and_beside_one_another_are_no_levels(piece_bytes: int) -> None:
    row: dict[str, Any] = {'"{[': "[" * 60, "\\": '"[{\\"' * 60, "rows": [[], {}, [[]]] * 60}
    data = json.dumps([row] * 3).encode()
    assert b"".join(await read_all(data, piece_bytes)) == data


OPTION = {
    "instrument_key": "NSE_FO|1", "segment": "NSE_FO", "exchange": "NSE", "instrument_type": "CE",
    "trading_symbol": "NIFTY 24000 CE 24 NOV 26", "name": "NIFTY", "lot_size": 75,
    "tick_size": 5.0, "expiry": MONDAY_10_00, "strike_price": 24_000.0, "freeze_quantity": 1_800.0,
}  # fmt: skip


def test_a_valid_row_is_read_with_all_its_fields() -> None:
    instrument = instrument_from_row(master_row(OPTION))
    assert (instrument.expiry, instrument.lot_size, instrument.strike) == ("2026-11-23", 75, 24_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"expiry": MONDAY_10_00 * 1_000},
        {"expiry": MONDAY_10_00 * 1_000_000},
        {"expiry": MONDAY_10_00 // 1_000},
        {"expiry": -1},
        {"expiry": "2026-11-23"},
        {"lot_size": 1e20},
        {"lot_size": 10**30},
        {"lot_size": -1},
        {"lot_size": 0.5},
        {"strike_price": float("inf")},
        {"strike_price": "nan"},
        {"tick_size": []},
        {"freeze_quantity": 1e300},
        {"instrument_key": "1"},
        {"instrument_key": "NSE_FO|" + "1" * 200},
        {"instrument_key": None},
        {"segment": None},
        {"segment": ""},
        {"trading_symbol": 5},
        {"name": {}},
        {"name": "\ud800"},
        {"name": "A\0B"},
        {"name": "A" * 10_000},
        {"mtf_enabled": "perhaps"},
    ],
)
def test_a_row_with_a_field_that_is_not_valid_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        master_row(OPTION | fields)


@pytest.mark.parametrize("raw", [None, 5, "row", [], {}])
def test_a_value_that_is_no_row_is_refused(raw: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        master_row(raw)


def test_an_optional_field_that_is_null_is_absent() -> None:
    row = master_row(OPTION | {"expiry": None, "name": None, "mtf_enabled": None})
    assert (row.expiry, row.name, row.mtf_enabled) == (None, "", False)


@pytest.mark.parametrize(("multiplier", "whole"), [(100.0, 100), (0.0, None), (2.5, None)])
def test_a_multiplier_is_a_positive_whole_number(multiplier: float, whole: int | None) -> None:
    assert instrument_from_row(row(qty_multiplier=multiplier)).multiplier == whole
    assert instrument_from_row(row()).multiplier is None


def test_an_underlying_of_derivatives_is_marked() -> None:
    assert instrument_from_row(row(), has_derivatives=True).has_derivatives
    assert not instrument_from_row(row()).has_derivatives
