"""Renders an overlay of deploy/k8s together with newly made secrets."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploycheck.documents import Document
from deploycheck.kustomize.render import render
from operations.deployments import DEPLOYMENTS
from operations.first_secrets import SecretFolder
from operations.kustomization import write_kustomization
from shared.runtime.clock import SystemClock

OVERLAYS: Final = ("dev", "prod")


@contextmanager
def with_secrets(deploy: Path) -> Iterator[Path]:
    """A copy of the folder `deploy` with the secrets that the command makes; deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="tradedad-deploy-") as folder:
        copy = Path(folder) / "deploy"
        shutil.copytree(deploy, copy, ignore=shutil.ignore_patterns("secrets"))
        secrets = copy / "k8s" / "secrets"
        SecretFolder(secrets).fill(DEPLOYMENTS["kubernetes"], SystemClock(), datetime.now(UTC))
        write_kustomization(secrets)
        yield copy


def render_overlays(deploy: Path) -> dict[str, list[Document]]:
    """Return the objects of each overlay. Raises RenderError."""
    with with_secrets(deploy) as copy:
        return {name: render(copy / "k8s" / "overlays" / name) for name in OVERLAYS}
