"""ConfigMaps and Secrets made from files and literals, and the hashes in their names."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Final

from deploycheck.documents import Document, at

_BASE64_LINE: Final = 70


def config_map(folder: Path, generator: Document) -> Document:
    """Make a ConfigMap. Raises OSError."""
    return _object("ConfigMap", generator, _texts(folder, generator))


def secret(folder: Path, generator: Document) -> Document:
    """Make a Secret. Raises OSError."""
    data = {key: _base64(text) for key, text in _texts(folder, generator).items()}
    return _object("Secret", generator, data) | {"type": generator.get("type", "Opaque")}


def _object(kind: str, generator: Document, data: dict[str, str]) -> Document:
    metadata: Document = {"name": generator["name"]}
    if labels := at(generator, "options", "labels"):
        metadata["labels"] = dict(labels)
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}


def _texts(folder: Path, generator: Document) -> dict[str, str]:
    texts: dict[str, str] = {}
    for entry in generator.get("files", []):
        key, separator, name = entry.partition("=")
        texts[key if separator else Path(entry).name] = (folder / (name or entry)).read_text()
    for name in generator.get("envs", []):
        for line in (folder / name).read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                key, _, value = line.partition("=")
                texts[key] = value
    for literal in generator.get("literals", []):
        key, _, value = literal.partition("=")
        texts[key] = value
    return texts


def _base64(text: str) -> str:
    encoded = base64.b64encode(text.encode()).decode()
    if len(encoded) < _BASE64_LINE:
        return encoded
    parts = range(0, len(encoded), _BASE64_LINE)
    return "".join(encoded[start : start + _BASE64_LINE] + "\n" for start in parts)


def hashed_name(generated: Document) -> str:
    """Return the name with ten digits that depend on the content, as kustomize's do.

    The digits differ from kustomize's. They change with the content, so pods are replaced then.
    """
    text = json.dumps(generated["data"], sort_keys=True)
    return f"{generated['metadata']['name']}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
