"""A selector that selects nothing, or the wrong pods, is found."""

import pytest

from deploycheck.manifests.selectors import check
from deploycheck.overlays import OVERLAYS
from tests.support.manifests import Manifests


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_have_no_problem(overlay: str) -> None:
    assert check(Manifests(overlay).objects) == []


def test_a_service_with_a_wrong_selector_is_found() -> None:
    manifests = Manifests()
    manifests.get("Service", "auth")["spec"]["selector"] = {"app.kubernetes.io/name": "outh"}
    (line,) = check(manifests.objects)
    assert line.startswith("Service auth: its selector")
    assert "nothing" in line


def test_a_selector_that_selects_two_workloads_is_found() -> None:
    manifests = Manifests()
    budget = manifests.get("PodDisruptionBudget", "auth")
    budget["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/part-of": "tradedad"}
    assert any(
        "PodDisruptionBudget auth: its selector" in line for line in check(manifests.objects)
    )


def test_a_workload_that_does_not_select_its_own_pods_is_found() -> None:
    manifests = Manifests()
    template = manifests.get("Deployment", "ingest")["spec"]["template"]
    template["metadata"]["labels"]["app.kubernetes.io/name"] = "feed"
    lines = check(manifests.objects)
    assert any("Deployment ingest: its selector" in line for line in lines)
    assert any("Deployment ingest: a topology spread constraint" in line for line in lines)


def test_a_network_policy_that_selects_no_pod_is_found() -> None:
    manifests = Manifests()
    policy = manifests.get("NetworkPolicy", "gateway")
    peer = policy["spec"]["egress"][0]["to"][0]
    peer["podSelector"]["matchLabels"] = {"app.kubernetes.io/name": "login"}
    (line,) = check(manifests.objects)
    assert line.startswith("NetworkPolicy gateway: its selector")
    assert "selects no pod" in line


def test_an_autoscaler_without_its_workload_is_found() -> None:
    manifests = Manifests()
    scaler = manifests.get("HorizontalPodAutoscaler", "gateway")
    scaler["spec"]["scaleTargetRef"]["name"] = "edge"
    assert check(manifests.objects) == [
        "HorizontalPodAutoscaler gateway: there is no Deployment edge"
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_replicas_that_an_autoscaler_sets_as_well_are_found(overlay: str) -> None:
    manifests = Manifests(overlay)
    manifests.get("Deployment", "gateway")["spec"]["replicas"] = 3
    assert check(manifests.objects) == [
        "Deployment gateway: has replicas, so each apply undoes HorizontalPodAutoscaler gateway"
    ]


@pytest.mark.parametrize(("kind", "name"), [("StatefulSet", "nats"), ("Deployment", "gateway")])
def test_replicas_without_a_disruption_budget_are_found(kind: str, name: str) -> None:
    manifests = Manifests()
    manifests.remove("PodDisruptionBudget", name)
    assert check(manifests.objects) == [
        f"{kind} {name}: has several replicas and no PodDisruptionBudget"
    ]
