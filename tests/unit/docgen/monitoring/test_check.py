"""Rules, dashboards and runbook agree with the code, and planted faults are found."""

import dataclasses
from collections.abc import Callable

import msgspec
import pytest
import yaml

from docgen.monitoring.check import (
    PROMETHEUS_CONFIG,
    RUNBOOK,
    all_problems,
    dashboard_problems,
    rule_problems,
    runbook_problems,
    with_recorded,
)
from docgen.monitoring.dashboards.ingest import INGEST
from docgen.monitoring.panels import Row, panel
from docgen.monitoring.rule_files import RULES, Rules, read_rules
from docgen.monitoring.series import exported_series
from embedded.settings import SERVICES
from operations.server_metrics.__main__ import DEFAULT_PORT

ACTUAL = read_rules()
EXPORTED = exported_series()
TEXT = RUNBOOK.read_text()


def test_nothing_is_wrong() -> None:
    assert all_problems() == []


@pytest.mark.parametrize(
    "metric",
    [
        "tradedad_ingest_feed_silence_seconds",
        "tradedad_gateway_latency_seconds_bucket",
        "tradedad_persister_bars_total",
        "tradedad_auth_signing_key_created_timestamp_seconds",
        "tradedad_nats_stream_has_leader",
        "tradedad_certificate_expiry_timestamp_seconds",
    ],
)
def test_a_metric_that_was_renamed_is_found_in_rules(metric: str) -> None:
    renamed = {name: labels for name, labels in EXPORTED.items() if name != metric}
    found = list(rule_problems(ACTUAL, with_recorded(renamed, ACTUAL)))
    assert found
    assert all(problem.endswith(f"there is no series {metric}") for problem in found)


def test_a_metric_that_was_renamed_is_found_in_dashboards() -> None:
    metric = "tradedad_ingest_feed_silence_seconds"
    renamed = {name: labels for name, labels in EXPORTED.items() if name != metric}
    found = list(dashboard_problems([INGEST], with_recorded(renamed, ACTUAL)))
    assert found == [
        f"dashboard tradedad-ingest, panel Silence: there is no series {metric}",
    ]


def test_a_recorded_series_that_no_rule_makes_is_found_in_dashboards() -> None:
    faulty = dataclasses.replace(
        INGEST, rows=(Row("Row", (panel("Graph", "s", "Meaning.", a="ingest:quote:rate1m"),)),)
    )
    found = list(dashboard_problems([faulty], with_recorded(EXPORTED, ACTUAL)))
    assert found == [
        "dashboard tradedad-ingest, panel Graph: there is no series ingest:quote:rate1m"
    ]


def with_alert(**changes: object) -> Rules:
    """The rules with a first alert that was changed."""
    first, *others = ACTUAL.alerts
    return Rules(ACTUAL.recordings, [msgspec.structs.replace(first, **changes), *others])


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (lambda: with_alert(labels={"severity": "urgent"}), "its severity must be one of"),
        (lambda: with_alert(annotations={"summary": "x"}), "must link its entry"),
        (lambda: with_alert(annotations={"runbook": "x"}), "there is no summary"),
        (lambda: with_alert(alert=ACTUAL.alerts[1].alert), "there are 2"),
        (lambda: with_alert(expr='up{service="ingest"} == 0'), "up has no label service"),
    ],
    ids=["severity", "runbook", "summary", "twice", "label"],
)
def test_a_fault_in_an_alert_is_found(rules: Callable[[], Rules], problem: str) -> None:
    found = list(rule_problems(rules(), with_recorded(EXPORTED, ACTUAL)))
    assert any(problem in one for one in found), found


def test_an_alert_without_an_entry_in_the_runbook_is_found() -> None:
    rules = with_alert(alert="SomethingNew")
    found = list(runbook_problems(rules, TEXT))
    assert "alert SomethingNew has no entry in docs/operations.md" in found
    assert any("has an entry for ServiceDown, which is no alert" in one for one in found)


def test_an_entry_without_a_remedy_is_found() -> None:
    shortened = TEXT.replace("- **Do:**", "- **Then:**", 1)
    assert list(runbook_problems(ACTUAL, shortened)) == ["the entry ServiceDown lacks **Do:**"]


def test_every_service_is_scraped_at_its_operations_port() -> None:
    config = yaml.safe_load(PROMETHEUS_CONFIG.read_text())
    scraped = {
        job["job_name"]: [(dns["names"], dns["port"]) for dns in job["dns_sd_configs"]]
        for job in config["scrape_configs"]
    }
    assert scraped == {
        name: [([name], settings.model_fields["ops_port"].default)]
        for name, settings in SERVICES.items()
    } | {"server-metrics": [(["server-metrics"], DEFAULT_PORT)]}


def test_every_alert_is_expected_in_a_test_of_the_rules() -> None:
    tests = "".join(path.read_text() for path in (RULES / "tests").glob("*.yml"))
    missing = [rule.alert for rule in ACTUAL.alerts if f'alertname="{rule.alert}"' not in tests]
    assert missing == []
