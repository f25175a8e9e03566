"""The running version is a metric."""

from importlib.metadata import PackageNotFoundError, version

import pytest
from prometheus_client import REGISTRY

from shared.runtime import build_info
from shared.runtime.build_info import DISTRIBUTION, report_version


def reported() -> list[str]:
    """The versions that the metric names."""
    return [
        sample.labels["version"]
        for family in REGISTRY.collect()
        if family.name == "tradedad_build_info"
        for sample in family.samples
    ]


def test_the_version_of_the_package_is_reported_once() -> None:
    report_version()
    report_version()
    assert reported() == [version(DISTRIBUTION)]


def test_a_source_tree_without_an_installation_has_an_unknown_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def not_installed(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(build_info, "version", not_installed)
    report_version()
    assert reported() == ["unknown"]
