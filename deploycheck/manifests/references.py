"""Every Secret, ConfigMap, key, volume, claim and service account that a pod uses exists."""

from typing import Final

from deploycheck.documents import Document, at, listed
from deploycheck.manifests.pods import Pod, of_kind, pods, secret_sources

# Made outside of the manifests, each with the reason.
EXTERNAL_SECRETS: Final = {
    "edge-tls": "a certificate authority issues it for the public host name",
}


def check(objects: list[Document]) -> list[str]:
    """One line for each reference to something that does not exist."""
    names = {
        kind: {item["metadata"]["name"]: item for _, item in of_kind(objects, kind)}
        for kind in ("Secret", "ConfigMap", "ServiceAccount", "PersistentVolumeClaim")
    }
    lines = []
    for pod in pods(objects):
        lines += _sources(pod, names)
        lines += _mounts(pod)
        account = at(pod.spec, "serviceAccountName")
        if account not in names["ServiceAccount"]:
            lines.append(f"{pod.name}: there is no ServiceAccount {account}")
    return [*lines, *_certificates(objects, names["Secret"])]


def _used(pod: Pod) -> list[tuple[str, str | None, str | None]]:
    """Kind, name and key of all that a pod uses; names may be None."""
    used: list[tuple[str, str | None, str | None]] = []
    for _, source in secret_sources(pod):
        if not source.get("optional"):
            used.append(("Secret", source.get("secretName", source.get("name")), None))
    used += [
        (kind, at(volume, *path), None)
        for volume in listed(pod.spec, "volumes")
        for kind, path in (
            ("ConfigMap", ("configMap", "name")),
            ("PersistentVolumeClaim", ("persistentVolumeClaim", "claimName")),
        )
    ]
    for container in pod.containers:
        for entry in listed(container, "envFrom"):
            used.append(("Secret", at(entry, "secretRef", "name"), None))
            used.append(("ConfigMap", at(entry, "configMapRef", "name"), None))
        for entry in listed(container, "env"):
            for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
                reference = at(entry, "valueFrom", field) or {}
                used.append((kind, reference.get("name"), reference.get("key")))
    return used


def _sources(pod: Pod, names: dict[str, dict[str, Document]]) -> list[str]:
    lines = []
    for kind, name, key in _used(pod):
        if name is None:
            continue
        item = names[kind].get(name)
        if item is None:
            lines.append(f"{pod.name}: there is no {kind} {name}")
        elif key is not None and key not in (at(item, "data") or {}):
            lines.append(f"{pod.name}: {kind} {name} has no key {key}")
    return lines


def _mounts(pod: Pod) -> list[str]:
    volumes = [volume["name"] for volume in listed(pod.spec, "volumes")]
    claims = listed(pod.owner, "spec", "volumeClaimTemplates")
    volumes += [claim["metadata"]["name"] for claim in claims]
    mounted = {
        mount["name"] for container in pod.containers for mount in listed(container, "volumeMounts")
    }
    return [
        *(f"{pod.name}: there is no volume {name}" for name in sorted(mounted - set(volumes))),
        *(f"{pod.name}: volume {name} is not used" for name in volumes if name not in mounted),
    ]


def _certificates(objects: list[Document], secrets: dict[str, Document]) -> list[str]:
    return [
        f"{name}: there is no Secret {entry['secretName']}"
        for name, item in of_kind(objects, "Ingress")
        for entry in listed(item, "spec", "tls")
        if entry["secretName"] not in secrets and entry["secretName"] not in EXTERNAL_SECRETS
    ]
