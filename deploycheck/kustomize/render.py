"""Renders the kustomization of a folder to the objects that kubectl would apply."""

from pathlib import Path
from typing import Final

from deploycheck.documents import Document, at, read_documents
from deploycheck.kustomize import generators, transformers

_OPTIONS: Final = frozenset(["disableNameSuffixHash", "labels"])
_FIELDS: Final = frozenset(
    [
        "apiVersion",
        "kind",
        "namespace",
        "resources",
        "configMapGenerator",
        "secretGenerator",
        "labels",
        "images",
        "replicas",
        "patches",
    ]
)


class RenderError(ValueError):
    """A kustomization that cannot be rendered; the message names the file."""


def render(folder: Path) -> list[Document]:
    """Return the objects of a kustomization and of all that it refers to. Raises RenderError."""
    generated: list[Document] = []
    try:
        objects = _render(folder, generated)
    except (OSError, KeyError, transformers.BadPatchError) as error:
        raise RenderError(f"{folder}: {error}") from None
    for kind in ("ConfigMap", "Secret"):
        own = [item for item in generated if item["kind"] == kind]
        names = {item["metadata"]["name"]: generators.hashed_name(item) for item in own}
        for item in own:
            item["metadata"]["name"] = names[item["metadata"]["name"]]
        transformers.rename_references(objects, kind, names)
    return objects


def _render(folder: Path, generated: list[Document]) -> list[Document]:
    (kustomization,) = read_documents(folder / "kustomization.yaml")
    _check_known(folder, kustomization, _FIELDS)
    objects: list[Document] = []
    for name in kustomization.get("resources", []):
        path = folder / name
        objects += _render(path, generated) if path.is_dir() else read_documents(path)
    for field, make in (
        ("configMapGenerator", generators.config_map),
        ("secretGenerator", generators.secret),
    ):
        for entry in kustomization.get(field, []):
            _check_known(folder, entry.get("options", {}), _OPTIONS)
            _generate(make(folder, entry), entry, objects, generated)
    for entry in kustomization.get("patches", []):
        transformers.patch(objects, entry)
    for entry in kustomization.get("labels", []):
        transformers.label(objects, entry)
    for entry in kustomization.get("images", []):
        transformers.replace_image(objects, entry)
    for entry in kustomization.get("replicas", []):
        transformers.set_replicas(objects, entry)
    if "namespace" in kustomization:
        transformers.set_namespace(objects, kustomization["namespace"])
    _check_unique(folder, objects)
    return objects


def _check_known(folder: Path, document: Document, known: frozenset[str]) -> None:
    unknown = sorted(document.keys() - known)
    if unknown:
        raise RenderError(f"{folder}: this renderer does not know {', '.join(unknown)}")


def _generate(
    made: Document, entry: Document, objects: list[Document], generated: list[Document]
) -> None:
    if entry.get("behavior") != "merge":
        objects.append(made)
        if not at(entry, "options", "disableNameSuffixHash"):
            generated.append(made)
        return
    identity = (made["kind"], made["metadata"]["name"])
    for item in generated:
        if (item["kind"], item["metadata"]["name"]) == identity:
            item["data"] |= made["data"]
            return
    raise RenderError(f"{identity[0]} {identity[1]}: there is nothing to merge with")


def _check_unique(folder: Path, objects: list[Document]) -> None:
    identities = [(item["kind"], item["metadata"]["name"]) for item in objects]
    twice = {identity for identity in identities if identities.count(identity) > 1}
    if twice:
        raise RenderError(f"{folder}: more than once: {sorted(twice)}")
