"""A port that no container opens is found wherever it is written."""

import pytest

from deploycheck.manifests.ports import check
from deploycheck.overlays import OVERLAYS
from tests.support.manifests import Manifests


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_have_no_problem(overlay: str) -> None:
    assert check(Manifests(overlay).objects) == []


def test_a_probe_of_a_port_that_is_not_open_is_found() -> None:
    manifests = Manifests()
    probe = manifests.container("Deployment", "gateway")["readinessProbe"]
    probe["httpGet"]["port"] = "metrics"
    assert check(manifests.objects) == [
        "Deployment gateway: readinessProbe: no container opens port metrics"
    ]


def test_a_service_for_a_port_that_is_not_open_is_found() -> None:
    manifests = Manifests()
    manifests.get("Service", "auth")["spec"]["ports"][0]["targetPort"] = 7499
    assert check(manifests.objects) == ["Service auth: Deployment auth has no port 7499"]


def test_a_port_of_a_headless_service_that_differs_from_the_pods_is_found() -> None:
    manifests = Manifests()
    manifests.get("Service", "nats")["spec"]["ports"][0]["port"] = 4333
    (line,) = check(manifests.objects)
    assert line.startswith("Service nats: is headless")


def test_a_number_that_is_no_port_is_found() -> None:
    manifests = Manifests()
    manifests.container("StatefulSet", "mongo")["ports"][0]["containerPort"] = 99_999
    assert "StatefulSet mongo: 99999 is not a port" in check(manifests.objects)


def test_a_network_policy_for_a_port_that_is_not_open_is_found() -> None:
    manifests = Manifests()
    policy = manifests.get("NetworkPolicy", "nats-clients")
    policy["spec"]["egress"][0]["ports"][0]["port"] = 4223
    assert check(manifests.objects) == [
        "NetworkPolicy nats-clients: no selected pod opens port 4223"
    ]


def test_an_ingress_for_a_port_that_its_service_does_not_have_is_found() -> None:
    manifests = Manifests()
    ingress = manifests.get("Ingress", "gateway")
    ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"]["name"] = "https"
    assert check(manifests.objects) == [
        "Ingress gateway: there is no Service gateway with port https"
    ]
