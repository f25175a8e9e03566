"""Figures that fault tests measure, such as the seconds of an outage, shown after the run.

The fault matrix in docs/reliability.md names them. Tests assert none of them in seconds, except
those with the mark `seconds`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

_PREFIX: Final = "figure "


class Figures:
    """The figures of one test."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record

    def note(self, name: str, value: float) -> None:
        """Report a figure; its name ends with its unit."""
        self._record(_PREFIX + name, round(value, 3))

    @contextmanager
    def duration(self, name: str) -> Iterator[None]:
        """Report the seconds that the block takes; no figure if it fails."""
        started = time.monotonic()
        yield
        self.note(name, time.monotonic() - started)


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Collects the figures of this test."""
    return Figures(record_property)


def lines(reports: list[pytest.TestReport]) -> list[str]:
    """A line for each figure of these tests: test, name and value."""
    return sorted(
        f"{report.nodeid} {name.removeprefix(_PREFIX)}={value}"
        for report in reports
        for name, value in report.user_properties
        if name.startswith(_PREFIX)
    )
