"""The renderer gives what kubectl gives, and refuses what it does not know."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploycheck.kustomize.render import RenderError, render
from deploycheck.overlays import OVERLAYS, with_secrets
from embedded.daemons import ROOT

GENERATED = re.compile(r"^(.*)-[0-9a-z]{10}$")


def comparable(objects: list[Any]) -> dict[tuple[str, str], Any]:
    """The objects by kind and name, without the hashes in names."""
    text = json.dumps(objects)
    for item in objects:
        match = GENERATED.match(item["metadata"]["name"])
        if item["kind"] in ("ConfigMap", "Secret") and match:
            text = text.replace(json.dumps(match[0]), json.dumps(match[1]))
    return {(item["kind"], item["metadata"]["name"]): item for item in json.loads(text)}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_rendered_as_by_kubectl(overlay: str) -> None:
    with with_secrets(ROOT / "deploy") as deploy:
        folder = deploy / "k8s" / "overlays" / overlay
        done = subprocess.run(
            ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True
        )
        expected = list(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))
        assert comparable(render(folder)) == comparable(expected)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


OBJECT = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}]}}"


def test_a_field_that_the_renderer_does_not_know_is_refused(tmp_path: Path) -> None:
    write(tmp_path, kustomization="namePrefix: x-")
    with pytest.raises(RenderError, match="does not know namePrefix"):
        render(tmp_path)


def test_an_option_that_the_renderer_does_not_know_is_refused(tmp_path: Path) -> None:
    options = "{immutable: true}"
    write(tmp_path, kustomization=f"configMapGenerator: [{{name: a, options: {options}}}]")
    with pytest.raises(RenderError, match="does not know immutable"):
        render(tmp_path)


@pytest.mark.parametrize(
    ("path", "name", "problem"),
    [("/spec/prots/0", "a", "Service a has no /spec/prots/0"), ("/spec", "b", "selects no object")],
)
def test_a_patch_without_its_target_is_refused(
    path: str, name: str, problem: str, tmp_path: Path
) -> None:
    patch = f"- {{op: replace, path: {path}, value: 1}}"
    entry = {"target": {"kind": "Service", "name": name}, "patch": patch}
    kustomization = json.dumps({"resources": ["object.yaml"], "patches": [entry]})
    write(tmp_path, kustomization=kustomization, object=OBJECT)
    with pytest.raises(RenderError, match=problem):
        render(tmp_path)


def test_an_object_that_two_files_have_is_refused(tmp_path: Path) -> None:
    write(tmp_path, kustomization="resources: [one.yaml, two.yaml]", one=OBJECT, two=OBJECT)
    with pytest.raises(RenderError, match="more than once"):
        render(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, kustomization="resources: [one.yaml]")
    with pytest.raises(RenderError, match=r"one\.yaml"):
        render(tmp_path)
