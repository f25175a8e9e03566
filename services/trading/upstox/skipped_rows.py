"""Counts the rows of Upstox's answers that are left out because they are not as documented."""

from collections.abc import Callable
from typing import TypeVar

from services.trading import metrics
from services.trading.upstox.row_fields import BadRow
from shared.runtime.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")


class SkippedRows:
    """Counts every skipped row, and logs the first one of each kind and field. For all threads."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, str]] = set()

    def skip(self, kind: str, error: BadRow) -> None:
        """Count one row. The fields are those that this package reads, so they are few."""
        metrics.SKIPPED_UPSTOX_ROWS.labels(kind, error.field).inc()
        if (kind, error.field) not in self._logged:
            self._logged.add((kind, error.field))
            log.warning(
                "row of Upstox skipped; further ones are only counted",
                kind=kind,
                field=error.field,
                rule=error.rule,
            )

    def read_each(self, kind: str, rows: list[object], read: Callable[[object], T]) -> list[T]:
        """All rows that can be read."""
        found = []
        for row in rows:
            try:
                found.append(read(row))
            except BadRow as error:
                self.skip(kind, error)
        return found
