"""Reads YAML and its nested values; a document is a dictionary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


def read_documents(path: Path) -> list[Document]:
    """Return the documents of a file. Raises yaml.YAMLError or OSError."""
    documents = yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader)
    return [document for document in documents if document]


def parse(text: str) -> Any:
    """Return the value of one YAML document. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def at(document: Any, *path: str | int) -> Any:
    """Return the value at a path; None if a part of the path is missing."""
    for step in path:
        if isinstance(document, list) and isinstance(step, int):
            document = document[step] if step < len(document) else None
        elif isinstance(document, dict):
            document = document.get(step)
        else:
            return None
    return document


def listed(document: Any, *path: str | int) -> list[Any]:
    """Return the list at a path; an empty one if there is none."""
    value = at(document, *path)
    return value if isinstance(value, list) else []


def nodes(value: Any) -> Iterator[Document]:
    """Yield every dictionary inside a value, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)
