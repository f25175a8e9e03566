"""Rendered manifests into which a test plants a fault."""

import copy
from functools import cache
from typing import Any

from deploycheck.documents import Document
from deploycheck.manifests.pods import pod_template
from deploycheck.overlays import render_overlays
from embedded.daemons import ROOT


@cache
def _rendered() -> dict[str, list[Document]]:
    return render_overlays(ROOT / "deploy")


class Manifests:
    """The objects of an overlay, a copy that a test may change."""

    def __init__(self, overlay: str = "prod") -> None:
        self.objects = copy.deepcopy(_rendered()[overlay])

    def get(self, kind: str, name: str) -> Any:
        """The object; generated ones are named without their hash."""
        (found,) = (
            item
            for item in self.objects
            if item["kind"] == kind
            and (
                item["metadata"]["name"] == name
                or (
                    kind in ("ConfigMap", "Secret")
                    and item["metadata"]["name"].rpartition("-")[0] == name
                )
            )
        )
        return found

    def pod(self, kind: str, name: str) -> Any:
        """The specification of the object's pods."""
        return pod_template(self.get(kind, name))["spec"]

    def container(self, kind: str, name: str) -> Any:
        """The container of the object's pods."""
        (container,) = self.pod(kind, name)["containers"]
        return container

    def remove(self, kind: str, name: str) -> None:
        """Remove the object."""
        self.objects.remove(self.get(kind, name))
