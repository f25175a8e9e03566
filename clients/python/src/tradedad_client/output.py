"""Output of the command line: text, JSON lines or CSV."""

import csv
import io
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradedad_client.times import in_india

_TIMES: Final = frozenset(
    ("ts", "ltt", "start", "end", "since", "at", "now", "taken_at", "from_ms", "to_ms")
)
"""Fields that are Unix milliseconds."""
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Output:
    """Writes messages of one kind, one after the other, as ``text``, ``json`` or ``csv``.

    CSV has its header also if no message follows. `more` are the names of further fields, in front.
    """

    def __init__(self, form: str, kind: type[msgspec.Struct], *more: str) -> None:
        self._form = form
        self._columns = (*more, *kind.__struct_fields__)
        if form == "csv":
            print(_csv(self._columns), flush=True)

    def write(self, message: msgspec.Struct, text: str, **more: Any) -> None:
        """Write a message, which is `text` for people, with its further fields."""
        if self._form == "text":
            line = text
        elif self._form == "json":
            line = _encode(more | msgspec.to_builtins(message, builtin_types=(Decimal,))).decode()
        else:
            fields = more | msgspec.structs.asdict(message)
            line = _csv([_cell(name, fields[name]) for name in self._columns])
        print(line, flush=True)


def note(text: str) -> None:
    """Write a line that is not part of the output."""
    print(text, file=sys.stderr)


def _csv(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in _TIMES:
        return in_india(value).isoformat(timespec="milliseconds")
    return str(value).lower() if isinstance(value, bool) else value
