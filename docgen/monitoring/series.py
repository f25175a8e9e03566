"""All series that a query may use: those of the metrics in the code, and Prometheus' own."""

from collections.abc import Mapping
from typing import Final

from docgen.metrics_page import metrics_by_package
from docgen.monitoring.expressions import usage

_TARGET_LABELS: Final = frozenset({"job", "instance"})
_OWN: Final = (
    "up", "process_cpu_seconds_total", "process_open_fds", "process_max_fds",
    "process_resident_memory_bytes", "process_start_time_seconds",
)  # fmt: skip
"""Series of Prometheus itself and of prometheus_client's standard collectors."""
_OF_KUBERNETES: Final = frozenset({"namespace", "pod"})
"""Labels that deploy/k8s/prometheus-scrape.yaml adds to each target."""
_KUBE_STATE_METRICS: Final = {
    "kube_cronjob_created": frozenset({"namespace", "cronjob"}),
    "kube_cronjob_status_last_successful_time": frozenset({"namespace", "cronjob"}),
}
"""Series of kube-state-metrics, as its documentation of CronJobs lists them."""

Series = Mapping[str, frozenset[str]]
"""The labels of each series, by its name."""


def exported_series() -> dict[str, frozenset[str]]:
    """The series of every metric that docs/metrics.md lists, and the standard ones."""
    known = dict.fromkeys(_OWN, _TARGET_LABELS) | {"up": _TARGET_LABELS | _OF_KUBERNETES}
    known |= {name: _TARGET_LABELS | labels for name, labels in _KUBE_STATE_METRICS.items()}
    for metrics in metrics_by_package().values():
        for metric in metrics:
            labels = _TARGET_LABELS | set(metric.labels)
            if metric.type == "histogram":
                known[f"{metric.name}_bucket"] = labels | {"le"}
                known[f"{metric.name}_sum"] = known[f"{metric.name}_count"] = labels
            else:
                known[metric.name] = labels
    return known


def recorded_labels(expression: str) -> frozenset[str]:
    """The labels that the series of a recording rule may have."""
    return frozenset(usage(expression).grouping)


def problems(expression: str, known: Series) -> list[str]:
    """Each series and label of `expression` that does not exist."""
    used = usage(expression)
    found = [f"there is no series {name}" for name in used.series if name not in known]
    every = {"le", *_TARGET_LABELS}
    for name, labels in used.series.items():
        existing = known.get(name, frozenset())
        every |= existing
        if name in known:
            found += [f"{name} has no label {label}" for label in sorted(labels - existing)]
    found += [f"no series has the label {label}" for label in sorted(used.grouping - every)]
    return found
