"""Dashboards have the form that Grafana expects."""

import itertools
import json
from typing import Any

import pytest

from docgen.monitoring.dashboards.all import DASHBOARDS
from docgen.monitoring.panels import Dashboard, Row, dashboard_json, panel, stat


def parsed(dashboard: Dashboard) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(dashboard_json(dashboard))
    return model


def test_a_legend_is_a_text_or_the_values_of_labels() -> None:
    graph = panel("Title", "s", "Meaning.", each_job_and_instance="a", too_old="b")
    assert [legend for _, legend in graph.queries] == ["{{job}} {{instance}}", "too old"]


def test_panels_are_placed_from_left_to_right_below_their_row() -> None:
    graphs = tuple(panel(f"Graph {number}", "s", "Meaning.", a="a") for number in range(4))
    row = Row("Row", (stat("Now", "s", "Meaning.", "a"), *graphs))
    placed = parsed(Dashboard("uid", "Title", (row, Row("Next", graphs[:1]))))["panels"]
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in placed]
    assert places == [(0, 0), (0, 1), (4, 1), (12, 1), (0, 8), (8, 8), (0, 15), (0, 16)]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_ids_are_unique_and_no_two_panels_overlap(dashboard: Dashboard) -> None:
    panels = parsed(dashboard)["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    for one, other in itertools.combinations([one["gridPos"] for one in panels], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert one["x"] + one["w"] <= 24


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_every_panel_says_what_it_shows_and_in_which_unit(dashboard: Dashboard) -> None:
    titles = [one.title for row in dashboard.rows for one in row.panels]
    assert titles
    for one in dashboard.panels:
        assert one.description.endswith("."), one.title
        assert one.unit, one.title
        assert one.queries, one.title


def test_each_dashboard_has_its_own_uid() -> None:
    assert len({one.uid for one in DASHBOARDS}) == len(DASHBOARDS)
