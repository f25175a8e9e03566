"""Changes of rendered objects: patches, labels, images, replicas, namespace."""

from typing import Any, Final

from deploycheck.documents import Document, at, listed, nodes, parse

_WITH_TEMPLATE: Final = ("Deployment", "StatefulSet", "Job")
_CLUSTER_WIDE: Final = ("Namespace",)


class BadPatchError(ValueError):
    """A patch selects nothing, or its path does not exist."""


def patch(objects: list[Document], entry: Document) -> None:
    """Apply a JSON patch (RFC 6902: add, replace, remove). Raises BadPatchError."""
    target = entry["target"]
    selected = [
        item
        for item in objects
        if item["kind"] == target["kind"] and target.get("name") in (None, item["metadata"]["name"])
    ]
    if not selected:
        raise BadPatchError(f"the patch of {target} selects no object")
    for item in selected:
        for operation in parse(entry["patch"]):
            _apply(item, operation)


def _apply(item: Document, operation: Document) -> None:
    *parents, last = operation["path"].removeprefix("/").split("/")
    node: Any = item
    try:
        for step in parents:
            node = node[int(step) if isinstance(node, list) else step]
        key: Any = int(last) if isinstance(node, list) and last != "-" else last
        if operation["op"] == "add" and isinstance(node, list):
            node.insert(len(node) if key == "-" else key, operation["value"])
            return
        if operation["op"] != "add":
            node[key]  # must exist
        if operation["op"] == "remove":
            del node[key]
        else:
            node[key] = operation["value"]
    except (KeyError, IndexError, TypeError, ValueError):
        name = f"{item['kind']} {item['metadata']['name']}"
        raise BadPatchError(f"{name} has no {operation['path']}") from None


def label(objects: list[Document], entry: Document) -> None:
    """Add labels to all objects, and to the pods and volumes that they describe."""
    for item in objects:
        places = [item["metadata"]]
        if entry.get("includeTemplates"):
            places += _templates(item)
        for place in places:
            place["labels"] = place.get("labels", {}) | entry["pairs"]


def _templates(item: Document) -> list[Document]:
    """The metadata of what a workload makes: jobs, pods and volumes."""
    if item["kind"] == "CronJob":
        job = item["spec"]["jobTemplate"]
        return [job.setdefault("metadata", {}), job["spec"]["template"]["metadata"]]
    if item["kind"] not in _WITH_TEMPLATE:
        return []
    claims = listed(item, "spec", "volumeClaimTemplates")
    return [item["spec"]["template"]["metadata"], *(claim["metadata"] for claim in claims)]


def replace_image(objects: list[Document], entry: Document) -> None:
    """Replace the name, tag and digest of an image."""
    name = entry.get("newName", entry["name"])
    tag = f":{entry['newTag']}" if "newTag" in entry else ""
    digest = f"@{entry['digest']}" if "digest" in entry else ""
    for container in nodes(objects):
        if container.get("image") == entry["name"]:
            container["image"] = f"{name}{tag}{digest}"


def set_replicas(objects: list[Document], entry: Document) -> None:
    """Set the number of pods. Raises BadPatchError if there is no such object."""
    selected = [
        item
        for item in objects
        if item["kind"] in ("Deployment", "StatefulSet")
        and item["metadata"]["name"] == entry["name"]
    ]
    if not selected:
        raise BadPatchError(f"replicas: there is no {entry['name']}")
    for item in selected:
        item["spec"]["replicas"] = entry["count"]


def set_namespace(objects: list[Document], namespace: str) -> None:
    """Put all objects into a namespace."""
    for item in objects:
        if item["kind"] in _CLUSTER_WIDE:
            item["metadata"]["name"] = namespace
        else:
            item["metadata"]["namespace"] = namespace


def rename_references(objects: list[Document], kind: str, names: dict[str, str]) -> None:
    """Replace the names of ConfigMaps or Secrets where pods refer to them."""
    if kind == "ConfigMap":
        places = [("configMap", "name"), ("configMapRef", "name"), ("configMapKeyRef", "name")]
    else:
        # `secret` has `name` in a projected volume, and `secretName` in others.
        places = [("secret", "secretName"), ("secret", "name")]
        places += [("secretRef", "name"), ("secretKeyRef", "name")]
    for node in nodes(objects):
        for key, field in places:
            name = at(node, key, field)
            if name in names:
                node[key][field] = names[name]
