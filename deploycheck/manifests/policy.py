"""Pods run with the rights of the profile `restricted`, within limits, and are watched."""

from collections.abc import Iterator
from itertools import product
from typing import Final

from deploycheck.documents import Document, at, listed
from deploycheck.images import is_pinned
from deploycheck.manifests.pods import Pod, least_replicas, of_kind, pods

# Rules that a workload may break, each with the reason.
EXCEPTIONS: Final = {
    ("StatefulSet nats", "secret in the environment"): (
        "nats-server's configuration reads passwords from the environment only"
    ),
    ("Job mongo-setup", "probe"): "it ends by itself; its exit code is its state",
    ("CronJob backup", "probe"): "it ends by itself; its exit code is its state",
    ("CronJob restore", "probe"): "it waits for the operator's commands",
}
_PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")


def check(objects: list[Document]) -> list[str]:
    """One line for each broken rule, and for each exception that is no longer needed."""
    least = least_replicas(objects)
    found = [
        (pod.name, rule, text)
        for pod in pods(objects)
        for rule, text in [*_pod(pod, least[pod.key]), *_containers(pod)]
    ]
    lines = [f"{name}: {text}" for name, rule, text in found if (name, rule) not in EXCEPTIONS]
    broken = {(name, rule) for name, rule, _ in found}
    unused = EXCEPTIONS.keys() - broken
    lines += [f"{name}: the exception from {rule!r} is not needed" for name, rule in sorted(unused)]
    return [*lines, *_default_deny(objects)]


def _pod(pod: Pod, replicas: int) -> Iterator[tuple[str, str]]:
    spec, context = pod.spec, at(pod.spec, "securityContext") or {}
    if spec.get("automountServiceAccountToken") is not False:
        yield "service account token", "mounts a service account token"
    if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
        yield "root", "may run as root"
    if at(context, "seccompProfile", "type") != "RuntimeDefault":
        yield "seccomp", "has no seccomp profile"
    if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
        yield "host", "uses a namespace of the host"
    if any("hostPath" in volume for volume in listed(spec, "volumes")):
        yield "host", "mounts a folder of the host"
    if replicas > 1 and "topologySpreadConstraints" not in spec:
        yield "spread", "has several replicas that may all run on one node"
    stop_secs = _stop_secs(pod)
    if spec.get("terminationGracePeriodSeconds", 30) < stop_secs:
        yield "grace", f"needs {stop_secs:g} s to stop, more than terminationGracePeriodSeconds"


def _stop_secs(pod: Pod) -> float:
    """preStop and the deadline of the shutdown."""
    secs = 0.0
    for container in pod.containers:
        deadline = 10.0
        for entry in listed(container, "env"):
            if entry["name"] == "TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS":
                deadline = float(entry["value"])
        pause = at(container, "lifecycle", "preStop", "sleep", "seconds") or 0
        secs = max(secs, deadline + pause)
    return secs


def _containers(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers:
        context = at(container, "securityContext") or {}
        if context.get("readOnlyRootFilesystem") is not True:
            yield "root file system", "can write to its root file system"
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield "privileges", "may gain privileges"
        if at(context, "capabilities", "drop") != ["ALL"] or at(context, "capabilities", "add"):
            yield "capabilities", "has capabilities"
        for kind, resource in product(("requests", "limits"), ("cpu", "memory")):
            if at(container, "resources", kind, resource) is None:
                yield "resources", f"has no {kind} of {resource}"
        missing = [probe for probe in _PROBES if probe not in container]
        if missing:
            yield "probe", f"has no {', '.join(missing)}"
        if not is_pinned(str(container.get("image"))):
            yield "image", f"the image {container.get('image')} has no digest"
        if _has_secret_environment(container):
            yield "secret in the environment", "has a secret in the environment, not in a file"


def _has_secret_environment(container: Document) -> bool:
    return any("secretRef" in entry for entry in listed(container, "envFrom")) or any(
        at(entry, "valueFrom", "secretKeyRef") for entry in listed(container, "env")
    )


def _default_deny(objects: list[Document]) -> list[str]:
    for _, item in of_kind(objects, "NetworkPolicy"):
        spec = item["spec"]
        allows = spec.get("ingress") or spec.get("egress")
        is_general = spec.get("podSelector") == {}
        if is_general and set(spec["policyTypes"]) == {"Ingress", "Egress"} and not allows:
            return []
    return ["there is no NetworkPolicy that denies everything by default"]
