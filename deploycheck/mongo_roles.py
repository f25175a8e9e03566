"""Every service that uses MongoDB has a role that names each of its collections, and no other."""

import json
import re
from pathlib import Path
from typing import Final

from operations.deployments import DATABASE, MONGO_USERS

_USE: Final = re.compile(r"(?:ensure_collection\(\s*[\w.]+,\s*|get_collection\(\s*)(_?[A-Z]+)\b")
_NAME: Final = r'^{}: Final = "(\w+)"'


def check(root: Path) -> list[str]:
    """One line for each collection that a role lacks or has too many."""
    lines = []
    for service in MONGO_USERS:
        path = root / "deploy" / "mongo" / f"{service}-role.json"
        granted = {
            privilege["resource"]["collection"]
            for privilege in json.loads(path.read_text())["privileges"]
            if privilege["resource"]["db"] == DATABASE
        }
        used = collections(root / "services" / service)
        lines += [f"{path.name}: lacks the collection {name}" for name in sorted(used - granted)]
        lines += [f"{path.name}: {name} is not used" for name in sorted(granted - used)]
    return lines


def collections(service: Path) -> set[str]:
    """Names of the collections that the code of a service opens or creates."""
    texts = {path: path.read_text() for path in sorted(service.rglob("*.py"))}
    names: set[str] = set()
    for text in texts.values():
        for constant in _USE.findall(text):
            pattern = re.compile(_NAME.format(constant), re.MULTILINE)
            # The constant of the same module, or the one that it imports.
            found = [match for one in (text, *texts.values()) if (match := pattern.search(one))]
            names.update(match[1] for match in found[:1])
    return names
