"""Writes the generated references and dashboards: ``python -m docgen.reference``."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from docgen.asyncapi import asyncapi, types
from docgen.metrics_page import metrics_page
from docgen.monitoring.dashboards.all import dashboard_files
from docgen.settings_page import settings_page
from docgen.stream_page import STREAM_PAGE, stream_page
from embedded.daemons import ROOT
from services.auth.http import operations as auth_operations
from services.gateway.rest import operations as gateway_operations

SETTINGS_PAGE: Final = ROOT / "docs" / "settings.md"
METRICS_PAGE: Final = ROOT / "docs" / "metrics.md"
AUTH_OPENAPI: Final = ROOT / "docs" / "auth.openapi.json"
GATEWAY_OPENAPI: Final = ROOT / "docs" / "gateway.openapi.json"
STREAM_ASYNCAPI: Final = ROOT / "docs" / "stream.asyncapi.json"
STREAM_TYPES: Final = ROOT / "docs" / "stream.openapi.json"

GENERATORS: Final[dict[Path, Callable[[], str]]] = {
    SETTINGS_PAGE: settings_page,
    METRICS_PAGE: metrics_page,
    AUTH_OPENAPI: auth_operations.openapi,
    GATEWAY_OPENAPI: gateway_operations.openapi,
    STREAM_ASYNCAPI: asyncapi,
    STREAM_TYPES: types,
    STREAM_PAGE: stream_page,
    **dashboard_files(),
}
"""The function that returns the text of each generated file."""


def main() -> None:
    """Write all generated files."""
    for path, generate in GENERATORS.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main()
