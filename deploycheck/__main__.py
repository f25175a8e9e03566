"""Checks all of deploy and docker-compose.yml: ``python -m deploycheck``."""

import sys
from pathlib import Path

from deploycheck import compose, dockerfile, mongo_roles, monitoring, nats_permissions
from deploycheck.documents import Document
from deploycheck.kustomize.render import RenderError
from deploycheck.manifests import policy, ports, references, selectors, settings
from deploycheck.overlays import render_overlays
from deploycheck.schemas import KUBERNETES_VERSIONS, kubernetes_problems
from embedded.daemons import ROOT


def manifest_problems(objects: list[Document], root: Path) -> list[str]:
    """All problems of the objects of one overlay."""
    for version in KUBERNETES_VERSIONS:
        schema = kubernetes_problems(objects, version)
        if schema:
            return schema  # the other rules rely on the form
    adapter = root / "deploy" / "k8s" / "prometheus-adapter.yaml"
    return [
        *selectors.check(objects),
        *ports.check(objects),
        *references.check(objects),
        *policy.check(objects),
        *settings.check(objects),
        *settings.check_metrics(objects, adapter, root / "docs" / "metrics.md"),
    ]


def problems(root: Path) -> list[str]:
    """All problems of the repository's deployments."""
    image = root / "deploy" / "images" / "Dockerfile"
    lines = [f"deploy/images/Dockerfile: {line}" for line in dockerfile.check(image)]
    file = root / "docker-compose.yml"
    document = compose.read(file)
    lines += [f"{file.name}: {line}" for line in compose.check(document, root)]
    for path in sorted((root / "deploy" / "compose").glob("*.yml")):
        together = compose.with_addition(document, compose.read(path))
        lines += [f"{path.name}: {line}" for line in compose.check(together, root)]
    lines += nats_permissions.check(root / "deploy" / "nats" / "authorization.conf")
    lines += mongo_roles.check(root)
    try:
        lines += [f"monitoring: {line}" for line in monitoring.check(root / "deploy")]
        overlays = render_overlays(root / "deploy")
    except RenderError as error:
        return [*lines, str(error)]
    for name, objects in overlays.items():
        lines += [f"overlay {name}: {line}" for line in manifest_problems(objects, root)]
    return lines


def main() -> int:
    """Print all problems; returns 1 if there is one."""
    found = problems(ROOT)
    print("\n".join(found) or "deployments: no problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
