"""The version of Trade Dad that this process runs, as a metric."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import Gauge

DISTRIBUTION: Final = "trade-dad"
BUILD_INFO: Final = Gauge(
    "tradedad_build_info", "Always 1; the label is the version of Trade Dad.", ["version"]
)


def report_version() -> None:
    """Set the metric; reads the metadata of the installed package, which blocks."""
    BUILD_INFO.clear()
    BUILD_INFO.labels(installed_version()).set(1)


def installed_version() -> str:
    """The version of the installed package; blocks."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # the source tree is on the path without an installation
        return "unknown"
