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
    """Writes one message after the other in one form: ``text``, ``json`` or ``csv``."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._columns: Sequence[str] = ()

    def write(self, message: msgspec.Struct, text: str, **more: Any) -> None:
        """Write a message, which is `text` for people; `more` are further fields, in front."""
        if self._form == "text":
            line = text
        elif self._form == "json":
            line = _encode(more | msgspec.to_builtins(message, builtin_types=(Decimal,))).decode()
        else:
            line = self._csv(more | msgspec.structs.asdict(message))
        print(line, flush=True)

    def _csv(self, fields: dict[str, Any]) -> str:
        lines = []
        if not self._columns:
            self._columns = tuple(fields)
            lines.append(self._columns)
        lines.append(tuple(_cell(name, fields[name]) for name in self._columns))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        return text.getvalue().removesuffix("\n")


def note(text: str) -> None:
    """Write a line that is not part of the output."""
    print(text, file=sys.stderr)


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in _TIMES:
        return in_india(value).isoformat(timespec="milliseconds")
    return str(value).lower() if isinstance(value, bool) else value
