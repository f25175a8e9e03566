"""Writes the references in docs from the code itself: ``python -m docgen.reference``."""

from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docgen.asyncapi import asyncapi
from embedded.daemons import ROOT
from embedded.settings import SERVICES, StackSettings
from services.auth.http import operations as auth_operations
from services.gateway.rest import operations as gateway_operations
from shared.runtime.settings import SHARED_GROUPS, Settings

PAGE: Final = ROOT / "docs" / "settings.md"
AUTH_OPENAPI: Final = ROOT / "docs" / "auth.openapi.json"
STREAM_ASYNCAPI: Final = ROOT / "docs" / "stream.asyncapi.json"
GATEWAY_OPENAPI: Final = ROOT / "docs" / "gateway.openapi.json"
_HEAD: Final = """# Settings

Every setting is an environment variable. One that starts with `TRADEDAD_` and is not in
this list stops the start and is named, with the nearest valid one. A secret can also be a
file named like its variable, in the folder that `TRADEDAD_SECRETS_DIR` names; the
environment wins over the file. `make run` sets what it needs itself: ports, addresses,
keys and secrets.

Made by `make docs`; do not edit.
"""


def page() -> str:
    """The whole page, as Markdown."""
    groups: list[tuple[str, list[type[Settings]]]] = [
        ("Shared by all services", list(SHARED_GROUPS)),
        *((f"The {name} service", [group]) for name, group in SERVICES.items()),
        ("The embedded stack (`make run`, `make demo`, tests)", [StackSettings]),
    ]
    parts = [_HEAD]
    for title, members in groups:
        parts.append(f"## {title}\n")
        parts.append("| variable | default | what it does |\n|---|---|---|")
        parts += [row for group in members for row in _rows(group)]
        parts.append("")
    return "\n".join(parts)


def _rows(group: type[Settings]) -> list[str]:
    prefix = str(group.model_config.get("env_prefix", ""))
    return [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {_text(name, field)} |"
        for name, field in group.model_fields.items()
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Settings))
    ]


def _default(field: FieldInfo) -> str:
    default: Any = field.get_default()
    if default is PydanticUndefined:
        return "**required**"
    if isinstance(default, SecretStr):
        return "secret"
    if default is None or default == "" or default == frozenset():
        return "none"
    return f"`{default}`"


def _text(name: str, field: FieldInfo) -> str:
    if field.description is None:
        return name.replace("_", " ")
    return " ".join(field.description.split()).replace("|", "\\|")


def main() -> None:
    """Write the settings' page, and how to talk to auth, the gateway and the stream."""
    Path(PAGE).write_text(page(), encoding="utf-8")
    Path(AUTH_OPENAPI).write_text(auth_operations.openapi(), encoding="utf-8")
    Path(GATEWAY_OPENAPI).write_text(gateway_operations.openapi(), encoding="utf-8")
    Path(STREAM_ASYNCAPI).write_text(asyncapi(), encoding="utf-8")


if __name__ == "__main__":
    main()
