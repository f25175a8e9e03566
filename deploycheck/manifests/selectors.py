"""Every selector selects pods, and every reference to a workload names one."""

from deploycheck.documents import Document, at, listed
from deploycheck.manifests.pods import (
    WORKLOADS,
    Pod,
    least_replicas,
    of_kind,
    pods,
    scale_target,
    selects,
)


def check(objects: list[Document]) -> list[str]:
    """One line for each selector that selects nothing or the wrong pods."""
    all_pods = list(pods(objects))
    return [
        *_own_pods(all_pods),
        *_services_and_budgets(objects, all_pods),
        *_network_policies(objects, all_pods),
        *_scaled(objects),
        *_without_budget(objects, all_pods),
    ]


def _own_pods(all_pods: list[Pod]) -> list[str]:
    lines = []
    for pod in all_pods:
        wanted = at(pod.owner, "spec", "selector", "matchLabels")
        if pod.owner["kind"] not in ("Job", "CronJob") and not selects(wanted, pod):
            lines.append(f"{pod.name}: its selector {wanted} does not select its own pods")
        lines += [
            f"{pod.name}: a topology spread constraint does not select its own pods"
            for constraint in listed(pod.spec, "topologySpreadConstraints")
            if not selects(at(constraint, "labelSelector", "matchLabels"), pod)
        ]
    return lines


def _services_and_budgets(objects: list[Document], all_pods: list[Pod]) -> list[str]:
    lines = []
    for name, item in of_kind(objects, "Service", "PodDisruptionBudget"):
        selector = at(item, "spec", "selector")
        wanted = selector if item["kind"] == "Service" else at(selector, "matchLabels")
        owners = [pod.name for pod in all_pods if selects(wanted, pod)]
        if len(owners) != 1:
            lines.append(f"{name}: its selector {wanted} selects the pods of {owners or 'nothing'}")
    return lines


def _network_policies(objects: list[Document], all_pods: list[Pod]) -> list[str]:
    lines = []
    for name, item in of_kind(objects, "NetworkPolicy"):
        selectors = [at(item, "spec", "podSelector")]
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in listed(item, "spec", direction):
                selectors += [
                    peer["podSelector"]
                    for peer in listed(rule, side)
                    if "podSelector" in peer and "namespaceSelector" not in peer
                ]
        lines += [
            f"{name}: its selector {selector} selects no pod"
            for selector in selectors
            if selector and not any(selects(at(selector, "matchLabels"), pod) for pod in all_pods)
        ]
    return lines


def _scaled(objects: list[Document]) -> list[str]:
    """Every autoscaler has its workload, whose number of pods nothing else sets."""
    workloads = {
        (item["kind"], item["metadata"]["name"]): item for _, item in of_kind(objects, *WORKLOADS)
    }
    lines = []
    for name, scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = " ".join(scale_target(scaler))
        workload = workloads.get(scale_target(scaler))
        if workload is None:
            lines.append(f"{name}: there is no {target}")
        elif at(workload, "spec", "replicas") is not None:
            lines.append(f"{target}: has replicas, so each apply undoes {name}")
    return lines


def _without_budget(objects: list[Document], all_pods: list[Pod]) -> list[str]:
    budgets = [
        at(item, "spec", "selector", "matchLabels")
        for _, item in of_kind(objects, "PodDisruptionBudget")
    ]
    least = least_replicas(objects)
    return [
        f"{pod.name}: has several replicas and no PodDisruptionBudget"
        for pod in all_pods
        if least[pod.key] > 1 and not any(selects(budget, pod) for budget in budgets)
    ]
