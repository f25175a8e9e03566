"""Panels, rows and dashboards, and their form as Grafana's JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_WIDTH: Final = 24
_SCHEMA_VERSION: Final = 39
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_VARIABLE: Final = {
    "name": "datasource",
    "label": "Prometheus",
    "type": "datasource",
    "query": "prometheus",
    "hide": 0,
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. Each query is a PromQL expression with the legend of its series."""

    title: str
    unit: str
    """Grafana's name of the unit: `s`, `ops`, `bytes`, `percentunit`, `short` and others."""
    queries: tuple[tuple[str, str], ...]
    description: str
    is_stat: bool = False
    """Shows the last value only."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on a grid of 24 columns."""
        return (4, 4) if self.is_stat else (8, 7)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard; `uid` is also the name of its file."""

    uid: str
    title: str
    rows: tuple[Row, ...]
    tags: tuple[str, ...] = field(default=("trade-dad",))

    @property
    def panels(self) -> list[Panel]:
        """All panels, in order."""
        return [panel for row in self.rows for panel in row.panels]


def panel(title: str, unit: str, description: str, **queries: str) -> Panel:
    """A graph. The name of each query is its legend; `each_LABEL` shows the value of a label."""
    return Panel(title, unit, _with_legends(queries), description)


def stat(title: str, unit: str, description: str, query: str) -> Panel:
    """The last value of one query."""
    return Panel(title, unit, ((query, ""),), description, is_stat=True)


def _with_legends(queries: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((query, _legend(name)) for name, query in queries.items())


def _legend(name: str) -> str:
    kind, _, labels = name.partition("_")
    if kind == "each":
        return " ".join(f"{{{{{label}}}}}" for label in labels.split("_and_"))
    return name.replace("_", " ")


def dashboard_json(dashboard: Dashboard) -> str:
    """The dashboard as Grafana provisions it."""
    model = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": list(dashboard.tags),
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "Asia/Kolkata",
        "templating": {"list": [_VARIABLE]},
        "panels": list(_placed(dashboard)),
    }
    return json.dumps(model, indent=1) + "\n"


def _placed(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """All rows and panels with their places; ids count from 1."""
    number, top = 0, 0
    for row in dashboard.rows:
        number += 1
        yield {
            "id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1},
        }  # fmt: skip
        left, top, height = 0, top + 1, 0
        for one in row.panels:
            number += 1
            width, own_height = one.size
            if left + width > _WIDTH:
                left, top, height = 0, top + height, 0
            place = {"x": left, "y": top, "w": width, "h": own_height}
            yield {"id": number, **_panel_json(one), "gridPos": place}
            left, height = left + width, max(height, own_height)
        top += height


def _panel_json(one: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "datasource": _DATASOURCE, "expr": query,
         "legendFormat": legend or "__auto"}
        for at, (query, legend) in enumerate(one.queries)
    ]  # fmt: skip
    return {
        "type": "stat" if one.is_stat else "timeseries",
        "title": one.title,
        "description": one.description,
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": {"unit": one.unit}, "overrides": []},
        "targets": targets,
    }
