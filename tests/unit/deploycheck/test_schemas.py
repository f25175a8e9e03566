"""Objects and compose files with a wrong form are found."""

import pytest

from deploycheck.compose import read
from deploycheck.overlays import OVERLAYS
from deploycheck.schemas import KUBERNETES_VERSIONS, compose_problems, kubernetes_problems
from embedded.daemons import ROOT
from tests.support.manifests import Manifests

VERSION = KUBERNETES_VERSIONS[0]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_the_manifests_have_the_form_of_their_kinds(overlay: str, version: str) -> None:
    assert kubernetes_problems(Manifests(overlay).objects, version) == []


def test_a_misspelt_field_is_found() -> None:
    manifests = Manifests()
    manifests.container("Deployment", "auth")["livenesProbe"] = {}
    (line,) = kubernetes_problems(manifests.objects, VERSION)
    assert line.startswith("Deployment auth: $.spec.template.spec.containers[0]")
    assert "livenesProbe" in line


def test_a_value_of_a_wrong_type_is_found() -> None:
    manifests = Manifests()
    manifests.get("Deployment", "auth")["spec"]["replicas"] = "two"
    (line,) = kubernetes_problems(manifests.objects, VERSION)
    assert line.startswith("Deployment auth: $.spec.replicas: 'two' is not of type")


def test_an_unknown_kind_is_found() -> None:
    manifests = Manifests()
    manifests.get("Deployment", "auth")["apiVersion"] = "apps/v2"
    assert kubernetes_problems(manifests.objects, VERSION) == [
        f"Deployment auth: Kubernetes {VERSION} has no apps/v2 Deployment"
    ]


def test_an_unknown_field_of_a_compose_file_is_found() -> None:
    document = read(ROOT / "docker-compose.yml")
    assert compose_problems(document) == []
    document["services"]["auth"]["helthcheck"] = {}
    (line,) = compose_problems(document)
    assert line.startswith("$.services.auth: ")
    assert "helthcheck" in line
