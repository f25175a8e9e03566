"""All dashboards, and their files."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from docgen.monitoring.dashboards.auth import AUTH
from docgen.monitoring.dashboards.gateway import GATEWAY
from docgen.monitoring.dashboards.ingest import INGEST
from docgen.monitoring.dashboards.overview import OVERVIEW
from docgen.monitoring.dashboards.persister import PERSISTER
from docgen.monitoring.dashboards.servers import SERVERS
from docgen.monitoring.dashboards.trading import TRADING
from docgen.monitoring.panels import dashboard_json
from embedded.daemons import ROOT

DASHBOARDS: Final = (OVERVIEW, INGEST, GATEWAY, PERSISTER, AUTH, TRADING, SERVERS)
FOLDER: Final = ROOT / "deploy" / "grafana" / "dashboards"


def dashboard_files() -> dict[Path, Callable[[], str]]:
    """The function that returns the text of each dashboard's file."""
    return {
        FOLDER / f"{dashboard.uid}.json": partial(dashboard_json, dashboard)
        for dashboard in DASHBOARDS
    }
