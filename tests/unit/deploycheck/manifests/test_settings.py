"""An unknown setting, a missing secret, a missing service and a renamed metric are found."""

from pathlib import Path

import pytest

from deploycheck.manifests.settings import check, check_metrics
from deploycheck.overlays import OVERLAYS
from embedded.daemons import ROOT
from tests.support.manifests import Manifests

ADAPTER = ROOT / "deploy" / "k8s" / "prometheus-adapter.yaml"
METRICS = ROOT / "docs" / "metrics.md"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_have_no_problem(overlay: str) -> None:
    assert check(Manifests(overlay).objects) == []
    assert check_metrics(Manifests(overlay).objects, ADAPTER, METRICS) == []


def test_an_unknown_setting_of_one_service_is_found_with_the_nearest_one() -> None:
    manifests = Manifests()
    env = manifests.container("Deployment", "gateway")["env"]
    env.append({"name": "TRADEDAD_GATEWAY_MAX_STREAM", "value": "1"})
    assert check(manifests.objects) == [
        (
            "Deployment gateway: TRADEDAD_GATEWAY_MAX_STREAM is not a setting; "
            "did you mean TRADEDAD_GATEWAY_MAX_STREAMS?"
        )
    ]


def test_an_unknown_setting_of_all_services_is_found() -> None:
    manifests = Manifests()
    manifests.get("ConfigMap", "settings")["data"]["TRADEDAD_NATS_REPLICA"] = "3"
    lines = check(manifests.objects)
    assert len(lines) == 5
    assert all("TRADEDAD_NATS_REPLICA is not a setting" in line for line in lines)


def test_a_secret_that_a_service_requires_and_does_not_get_is_found() -> None:
    manifests = Manifests()
    del manifests.get("Secret", "auth-secrets")["data"]["TRADEDAD_AUTH_PEPPER"]
    assert check(manifests.objects) == ["Deployment auth: TRADEDAD_AUTH_PEPPER is required"]


def test_a_secret_of_another_service_is_found() -> None:
    manifests = Manifests()
    data = manifests.get("Secret", "gateway-secrets")["data"]
    data["TRADEDAD_INGEST_NATS_PASSWORD"] = ""
    assert check(manifests.objects) == [
        "Deployment gateway: TRADEDAD_INGEST_NATS_PASSWORD is a secret of another service"
    ]


def test_a_secret_among_the_settings_is_found() -> None:
    manifests = Manifests()
    settings = manifests.get("ConfigMap", "settings")
    settings["data"]["TRADEDAD_UPSTOX_ACCESS_TOKEN"] = "a real token"
    assert all(
        "TRADEDAD_UPSTOX_ACCESS_TOKEN is a secret and must be a file" in line
        for line in check(manifests.objects)
    )
    assert len(check(manifests.objects)) == 5


def test_the_operators_switch_for_orders_at_upstox_is_off_in_production() -> None:
    settings = Manifests("prod").get("ConfigMap", "settings")["data"]
    assert settings["TRADEDAD_TRADING_LIVE_ORDERS"] == "false"


def test_a_projected_file_that_is_no_setting_is_found() -> None:
    manifests = Manifests()
    (volume,) = (
        one for one in manifests.pod("Deployment", "trading")["volumes"] if one["name"] == "secrets"
    )
    volume["projected"]["sources"][1]["secret"]["items"][0]["path"] = "TRADEDAD_TRADING_APP_SECRET"
    (problem,) = check(manifests.objects)
    assert problem.startswith("Deployment trading: TRADEDAD_TRADING_APP_SECRET is not a setting")


def test_a_service_without_a_workload_is_found() -> None:
    manifests = Manifests()
    manifests.remove("Deployment", "trading")
    assert check(manifests.objects) == ["there is no workload of the service trading"]


def test_a_password_that_nats_server_does_not_get_is_found() -> None:
    manifests = Manifests()
    del manifests.get("Secret", "nats-passwords")["data"]["TRADEDAD_TRADING_NATS_PASSWORD"]
    assert check(manifests.objects) == [
        "StatefulSet nats: TRADEDAD_TRADING_NATS_PASSWORD is missing"
    ]


def test_a_renamed_metric_of_the_autoscaler_is_found(tmp_path: Path) -> None:
    renamed = METRICS.read_text().replace("`tradedad_gateway_streams`", "`tradedad_gateway_open`")
    page = tmp_path / "metrics.md"
    page.write_text(renamed)
    assert check_metrics(Manifests().objects, ADAPTER, page) == [
        "prometheus-adapter.yaml: there is no metric tradedad_gateway_streams"
    ]


def test_a_metric_that_the_adapter_does_not_make_is_found() -> None:
    manifests = Manifests()
    scaler = manifests.get("HorizontalPodAutoscaler", "gateway")
    scaler["spec"]["metrics"][0]["pods"]["metric"]["name"] = "tradedad_gateway_clients"
    assert check_metrics(manifests.objects, ADAPTER, METRICS) == [
        (
            "HorizontalPodAutoscaler gateway: no rule of prometheus-adapter.yaml makes the metric "
            "tradedad_gateway_clients"
        )
    ]
