"""A missing Secret, ConfigMap, key, volume or service account is found."""

import pytest

from deploycheck.manifests.references import check
from deploycheck.overlays import OVERLAYS
from tests.support.manifests import Manifests


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_have_no_problem(overlay: str) -> None:
    assert check(Manifests(overlay).objects) == []


@pytest.mark.parametrize(
    ("secret", "user"),
    [("auth-signing-keys", "Deployment auth"), ("nats-passwords", "StatefulSet nats")],
    ids=["as a volume", "as variables"],
)
def test_a_missing_secret_is_found(secret: str, user: str) -> None:
    manifests = Manifests()
    name = manifests.get("Secret", secret)["metadata"]["name"]
    manifests.remove("Secret", secret)
    assert check(manifests.objects) == [f"{user}: there is no Secret {name}"]


def test_a_missing_secret_of_a_projected_volume_is_found() -> None:
    manifests = Manifests()
    manifests.remove("Secret", "trading-secrets")
    lines = check(manifests.objects)
    assert any("Deployment trading: there is no Secret trading-secrets" in line for line in lines)


def test_an_optional_secret_may_be_missing() -> None:
    manifests = Manifests()
    assert not any(item["metadata"]["name"] == "upstox-token" for item in manifests.objects)
    assert check(manifests.objects) == []


def test_a_missing_config_map_is_found() -> None:
    manifests = Manifests()
    manifests.remove("ConfigMap", "nats-config")
    (line,) = check(manifests.objects)
    assert line.startswith("StatefulSet nats: there is no ConfigMap nats-config-")


def test_a_missing_claim_of_a_volume_is_found() -> None:
    manifests = Manifests()
    manifests.remove("PersistentVolumeClaim", "backups")
    assert check(manifests.objects) == [
        "CronJob backup: there is no PersistentVolumeClaim backups",
        "CronJob restore: there is no PersistentVolumeClaim backups",
    ]


def test_a_missing_key_is_found() -> None:
    manifests = Manifests()
    secret = manifests.get("Secret", "gateway-secrets")["metadata"]["name"]
    reference = {"secretKeyRef": {"name": secret, "key": "password"}}
    manifests.container("Deployment", "gateway")["env"].append(
        {"name": "X", "valueFrom": reference}
    )
    assert check(manifests.objects) == [f"Deployment gateway: Secret {secret} has no key password"]


def test_a_mount_without_a_volume_and_a_volume_without_a_mount_are_found() -> None:
    manifests = Manifests()
    mounts = manifests.container("Deployment", "auth")["volumeMounts"]
    next(mount for mount in mounts if mount["name"] == "tmp")["name"] = "temporary"
    assert check(manifests.objects) == [
        "Deployment auth: there is no volume temporary",
        "Deployment auth: volume tmp is not used",
    ]


def test_a_missing_service_account_is_found() -> None:
    manifests = Manifests()
    manifests.remove("ServiceAccount", "ingest")
    assert check(manifests.objects) == ["Deployment ingest: there is no ServiceAccount ingest"]


def test_a_certificate_that_nobody_makes_is_found() -> None:
    manifests = Manifests()
    manifests.get("Ingress", "gateway")["spec"]["tls"][0]["secretName"] = "tls"
    assert check(manifests.objects) == ["Ingress gateway: there is no Secret tls"]
