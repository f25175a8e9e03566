"""The ConfigMaps for a cluster's monitoring have all rules and dashboards, and fit into the cluster."""

from pathlib import Path
from typing import Final

from deploycheck.documents import Document
from deploycheck.kustomize.render import render
from deploycheck.manifests.pods import of_kind
from deploycheck.schemas import KUBERNETES_VERSIONS, kubernetes_problems

_FILES: Final = {
    "tradedad-rules": "prometheus/rules/*.yml",
    "tradedad-alertmanager": "alertmanager/alertmanager.yml",
    "tradedad-dashboards": "grafana/dashboards/*.json",
}
"""The files of `deploy/` that each ConfigMap must contain, by its name."""
_MAX_BYTES: Final = 1 << 20
"""Kubernetes' limit of a ConfigMap."""


def check(deploy: Path) -> list[str]:
    """One line for each problem. Raises RenderError."""
    objects = render(deploy / "k8s" / "monitoring")
    for version in KUBERNETES_VERSIONS:
        schema = kubernetes_problems(objects, version)
        if schema:
            return schema
    found = {item["metadata"]["name"]: item for _, item in of_kind(objects, "ConfigMap")}
    lines = []
    for name, pattern in _FILES.items():
        if name not in found:
            lines.append(f"there is no ConfigMap {name}")
        else:
            lines += [
                f"ConfigMap {name}: {problem}"
                for problem in _contents(found[name], deploy, pattern)
            ]
    return lines


def _contents(config_map: Document, deploy: Path, pattern: str) -> list[str]:
    data: dict[str, str] = config_map["data"]
    files = {path.name for path in deploy.glob(pattern)} - {"kustomization.yaml"}
    lines = [f"has no {name}" for name in sorted(files - data.keys())]
    if sum(len(text.encode()) for text in data.values()) > _MAX_BYTES:
        lines.append("is larger than 1 MiB")
    return lines
