"""Every port that is named or numbered somewhere is open on the pods that it is for."""

from typing import Any

from deploycheck.documents import Document, at, listed
from deploycheck.manifests.pods import Pod, of_kind, pods, selects


def check(objects: list[Document]) -> list[str]:
    """One line for each port that no container opens."""
    all_pods = list(pods(objects))
    return [
        *_probes(all_pods),
        *_services(objects, all_pods),
        *_policies(objects, all_pods),
        *_ingresses(objects),
        *_twice(all_pods),
    ]


def _probes(all_pods: list[Pod]) -> list[str]:
    lines = []
    for pod in all_pods:
        for container in pod.containers:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for action in ("httpGet", "tcpSocket"):
                    port = at(container, probe, action, "port")
                    if port is not None and port not in pod.ports():
                        lines.append(f"{pod.name}: {probe}: no container opens port {port}")
    return lines


def _twice(all_pods: list[Pod]) -> list[str]:
    lines = []
    for pod in all_pods:
        numbers = [port["containerPort"] for one in pod.containers for port in listed(one, "ports")]
        lines += [
            f"{pod.name}: port {number} is opened twice"
            for number in sorted({number for number in numbers if numbers.count(number) > 1})
        ]
        lines += [
            f"{pod.name}: {number} is not a port" for number in numbers if not 0 < number < 65_536
        ]
    return lines


def _services(objects: list[Document], all_pods: list[Pod]) -> list[str]:
    lines = []
    for name, item in of_kind(objects, "Service"):
        selected = [pod for pod in all_pods if selects(at(item, "spec", "selector"), pod)]
        for port in listed(item, "spec", "ports"):
            target = port.get("targetPort", port["port"])
            lines += [
                f"{name}: {pod.name} has no port {target}"
                for pod in selected
                if target not in pod.ports()
            ]
            headless = at(item, "spec", "clusterIP") == "None"
            lines += [
                f"{name}: is headless, so clients reach {target} not at port {port['port']}"
                for pod in selected
                if headless and pod.ports().get(target, port["port"]) != port["port"]
            ]
    return lines


def _policies(objects: list[Document], all_pods: list[Pod]) -> list[str]:
    lines = []
    for name, item in of_kind(objects, "NetworkPolicy"):
        own = at(item, "spec", "podSelector", "matchLabels")
        subjects = [pod for pod in all_pods if selects(own, pod)]
        for rule in listed(item, "spec", "ingress"):
            lines += _closed(name, rule, subjects)
        for rule in listed(item, "spec", "egress"):
            for peer in listed(rule, "to"):
                if "namespaceSelector" not in peer and "podSelector" in peer:
                    labels = at(peer, "podSelector", "matchLabels")
                    lines += _closed(name, rule, [pod for pod in all_pods if selects(labels, pod)])
    return lines


def _closed(name: str, rule: Document, targets: list[Pod]) -> list[str]:
    """Ports of a rule that none of its targets opens; some of them may not have all of them."""
    ports: list[Any] = [port["port"] for port in listed(rule, "ports")]
    return [
        f"{name}: no selected pod opens port {port}"
        for port in ports
        if not any(port in pod.ports() for pod in targets)
    ]


def _ingresses(objects: list[Document]) -> list[str]:
    services = {
        item["metadata"]["name"]: {
            value
            for port in listed(item, "spec", "ports")
            for value in (port.get("name"), port["port"])
        }
        for _, item in of_kind(objects, "Service")
    }
    lines = []
    for name, item in of_kind(objects, "Ingress"):
        for rule in listed(item, "spec", "rules"):
            for path in listed(rule, "http", "paths"):
                backend = at(path, "backend", "service")
                port = at(backend, "port", "name") or at(backend, "port", "number")
                if port not in services.get(backend["name"], set()):
                    lines.append(f"{name}: there is no Service {backend['name']} with port {port}")
    return lines
