"""Every service gets valid settings and its own secrets, and the autoscaler's metrics exist."""

import re
from pathlib import Path

from deploycheck.documents import Document, at, listed, read_documents
from deploycheck.manifests.pods import Pod, of_kind, pods, secret_sources
from deploycheck.service_settings import environment_problems, nats_password, service_of
from embedded.settings import SERVICES


def check(objects: list[Document]) -> list[str]:
    """One line for each bad setting of a service, and for each service that is missing."""
    started = {}
    lines = []
    for pod in pods(objects):
        service = service_of(listed(pod.spec, "containers", 0, "args"))
        if service is not None:
            started[service] = pod
            secrets = _secret_files(pod, objects)
            problems = environment_problems(service, _environment(pod, objects), secrets)
            lines += [f"{pod.name}: {problem}" for problem in problems]
    missing = SERVICES.keys() - started.keys() - {"simulator"}
    lines += [f"there is no workload of the service {name}" for name in sorted(missing)]
    return [*lines, *_nats_passwords(objects)]


def _environment(pod: Pod, objects: list[Document]) -> dict[str, str]:
    maps = {item["metadata"]["name"]: item for _, item in of_kind(objects, "ConfigMap")}
    environment: dict[str, str] = {}
    for container in pod.containers:
        for entry in listed(container, "envFrom"):
            environment |= at(maps.get(at(entry, "configMapRef", "name")), "data") or {}
        environment |= {entry["name"]: entry.get("value", "") for entry in listed(container, "env")}
    return environment


def _secret_files(pod: Pod, objects: list[Document]) -> set[str]:
    """Names of the files in the pod's folder of secrets."""
    secrets = {item["metadata"]["name"]: item for _, item in of_kind(objects, "Secret")}
    names = {
        mount["name"]
        for container in pod.containers
        for mount in listed(container, "volumeMounts")
        if mount["mountPath"] == "/run/secrets"
    }
    files: set[str] = set()
    for volume, source in secret_sources(pod):
        if volume in names:
            secret = secrets.get(source.get("secretName", source.get("name")))
            files |= {item["path"] for item in listed(source, "items")}
            files |= set() if "items" in source else set(at(secret, "data") or {})
    return files


def _nats_passwords(objects: list[Document]) -> list[str]:
    """nats-server needs the password of every service."""
    needed = {password for service in SERVICES if (password := nats_password(service))}
    given: set[str] = set()
    secrets = {item["metadata"]["name"]: item for _, item in of_kind(objects, "Secret")}
    for pod in pods(objects):
        if pod.owner["metadata"]["name"] == "nats":
            for entry in listed(pod.spec, "containers", 0, "envFrom"):
                given |= set(at(secrets.get(at(entry, "secretRef", "name")), "data") or {})
    return [f"StatefulSet nats: {name} is missing" for name in sorted(needed - given)]


def check_metrics(objects: list[Document], adapter: Path, metrics_page: Path) -> list[str]:
    """One line for each metric of an autoscaler that no rule of the adapter makes of a metric."""
    known = set(re.findall(r"^\| `(tradedad_\w+)`", metrics_page.read_text(), re.MULTILINE))
    (rules,) = read_documents(adapter)
    made = {}
    lines = []
    for rule in listed(rules, "rules", "custom"):
        series = rule["seriesQuery"].partition("{")[0]
        made[at(rule, "name", "as")] = series
        if series.removesuffix("_bucket") not in known:
            lines.append(f"{adapter.name}: there is no metric {series}")
    for name, item in of_kind(objects, "HorizontalPodAutoscaler"):
        for metric in listed(item, "spec", "metrics"):
            wanted = at(metric, "pods", "metric", "name")
            if wanted is not None and wanted not in made:
                lines.append(f"{name}: no rule of {adapter.name} makes the metric {wanted}")
    return lines
