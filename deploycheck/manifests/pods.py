"""The pods that objects describe, and what refers to them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploycheck.documents import Document, at, listed

WORKLOADS: Final = ("Deployment", "StatefulSet", "Job", "CronJob")


@dataclass(frozen=True)
class Pod:
    """The template of a workload's pods."""

    owner: Document
    template: Document

    @property
    def name(self) -> str:
        return f"{self.owner['kind']} {self.owner['metadata']['name']}"

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name of the workload."""
        return self.owner["kind"], self.owner["metadata"]["name"]

    @property
    def spec(self) -> Document:
        spec: Document = self.template["spec"]
        return spec

    @property
    def labels(self) -> Mapping[str, str]:
        return at(self.template, "metadata", "labels") or {}

    @property
    def containers(self) -> list[Document]:
        return [*listed(self.spec, "initContainers"), *listed(self.spec, "containers")]

    def ports(self) -> dict[str | int, int]:
        """Port numbers, by number and by name."""
        ports: dict[str | int, int] = {}
        for container in self.containers:
            for port in listed(container, "ports"):
                ports[port["containerPort"]] = port["containerPort"]
                if "name" in port:
                    ports[port["name"]] = port["containerPort"]
        return ports


def pods(objects: Iterable[Document]) -> Iterator[Pod]:
    """Yield the pods of all workloads."""
    for item in objects:
        if item["kind"] in WORKLOADS:
            yield Pod(item, pod_template(item))


def scale_target(autoscaler: Document) -> tuple[str, str]:
    """Kind and name of the workload whose replicas a HorizontalPodAutoscaler sets."""
    target = autoscaler["spec"]["scaleTargetRef"]
    return target["kind"], target["name"]


def least_replicas(objects: Iterable[Document]) -> dict[tuple[str, str], int]:
    """How many pods each workload has at least, by kind and name."""
    items = list(objects)
    least = {
        (item["kind"], item["metadata"]["name"]): at(item, "spec", "replicas") or 1
        for item in items
        if item["kind"] in WORKLOADS
    }
    for _, scaler in of_kind(items, "HorizontalPodAutoscaler"):
        least[scale_target(scaler)] = at(scaler, "spec", "minReplicas") or 1
    return least


def pod_template(workload: Document) -> Document:
    """Return the template of a workload's pods."""
    path = ("jobTemplate", "spec") if workload["kind"] == "CronJob" else ()
    template: Document = at(workload, "spec", *path, "template")
    return template


def secret_sources(pod: Pod) -> Iterator[tuple[str, Document]]:
    """Yield the name of a volume with each Secret in it; a projected volume has several."""
    for volume in listed(pod.spec, "volumes"):
        for part in (volume, *listed(volume, "projected", "sources")):
            if "secret" in part:
                yield volume["name"], part["secret"]


def of_kind(objects: Iterable[Document], *kinds: str) -> Iterator[tuple[str, Document]]:
    """Yield the name, for messages, and the object of each object of these kinds."""
    for item in objects:
        if item["kind"] in kinds:
            yield f"{item['kind']} {item['metadata']['name']}", item


def selects(labels: Any, pod: Pod) -> bool:
    """Whether all `labels` are among the pod's."""
    return bool(labels) and labels.items() <= pod.labels.items()
