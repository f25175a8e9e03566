"""A pod with more rights than it needs, without limits or without probes is found."""

from collections.abc import Callable

import pytest

from deploycheck.manifests.policy import EXCEPTIONS, check
from deploycheck.overlays import OVERLAYS
from tests.support.manifests import Manifests


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_have_no_problem(overlay: str) -> None:
    assert check(Manifests(overlay).objects) == []


def pod(**fields: object) -> Callable[[Manifests], None]:
    return lambda manifests: manifests.pod("Deployment", "auth").update(fields)


def container(**fields: object) -> Callable[[Manifests], None]:
    return lambda manifests: manifests.container("Deployment", "auth").update(fields)


def security(**fields: object) -> Callable[[Manifests], None]:
    return lambda manifests: manifests.container("Deployment", "auth")["securityContext"].update(
        fields
    )


SECRET = {"valueFrom": {"secretKeyRef": {"name": "auth-secrets", "key": "X"}}}
FAULTS: dict[str, tuple[Callable[[Manifests], None], str]] = {
    "token": (pod(automountServiceAccountToken=True), "mounts a service account token"),
    "root": (pod(securityContext={"seccompProfile": {"type": "RuntimeDefault"}}), "run as root"),
    "seccomp": (pod(securityContext={"runAsNonRoot": True}), "has no seccomp profile"),
    "host": (pod(hostNetwork=True), "uses a namespace of the host"),
    "grace": (pod(terminationGracePeriodSeconds=5), "needs 10 s to stop"),
    "writable": (security(readOnlyRootFilesystem=False), "can write to its root file system"),
    "privileges": (security(allowPrivilegeEscalation=True), "may gain privileges"),
    "capabilities": (security(capabilities={"drop": ["NET_RAW"]}), "has capabilities"),
    "limits": (container(resources={"requests": {"cpu": 1, "memory": 1}}), "has no limits of cpu"),
    "tag": (container(image="docker.io/library/auth:1"), "has no digest"),
    "secret": (container(env=[{"name": "X", **SECRET}]), "has a secret in the environment"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    plant, expected = FAULTS[fault]
    manifests = Manifests()
    plant(manifests)
    lines = check(manifests.objects)
    assert lines
    assert all(line.startswith("Deployment auth: ") for line in lines)
    assert any(expected in line for line in lines), lines


def test_a_fault_of_a_cron_job_is_found() -> None:
    manifests = Manifests()
    manifests.container("CronJob", "backup")["securityContext"]["readOnlyRootFilesystem"] = False
    assert check(manifests.objects) == ["CronJob backup: can write to its root file system"]


def test_a_missing_probe_is_found() -> None:
    manifests = Manifests()
    del manifests.container("Deployment", "trading")["livenessProbe"]
    assert check(manifests.objects) == ["Deployment trading: has no livenessProbe"]


@pytest.mark.parametrize("name", ["auth", "gateway"])
def test_replicas_that_may_all_run_on_one_node_are_found(name: str) -> None:
    manifests = Manifests()
    del manifests.pod("Deployment", name)["topologySpreadConstraints"]
    assert check(manifests.objects) == [
        f"Deployment {name}: has several replicas that may all run on one node"
    ]


def test_a_stop_that_takes_longer_than_its_grace_is_found() -> None:
    manifests = Manifests()
    manifests.container("Deployment", "gateway")["lifecycle"]["preStop"]["sleep"]["seconds"] = 30
    assert check(manifests.objects) == [
        "Deployment gateway: needs 70 s to stop, more than terminationGracePeriodSeconds"
    ]


def test_an_exception_that_is_no_longer_needed_is_found() -> None:
    manifests = Manifests()
    manifests.container("StatefulSet", "nats")["envFrom"] = []
    assert ("StatefulSet nats", "secret in the environment") in EXCEPTIONS
    assert check(manifests.objects) == [
        "StatefulSet nats: the exception from 'secret in the environment' is not needed"
    ]


def test_a_missing_default_deny_is_found() -> None:
    manifests = Manifests()
    manifests.remove("NetworkPolicy", "default-deny")
    assert check(manifests.objects) == [
        "there is no NetworkPolicy that denies everything by default"
    ]
