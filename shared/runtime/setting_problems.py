"""Error lines for settings: the variable, its value unless it is a secret, and the rule."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from shared.runtime.setting_sources import PREFIX
from shared.runtime.setting_types import path_rule

_MAX_SHOWN_CHARS: Final = 100
_CLIENT_PART: Final = "CLIENT"
_USER_INFO: Final = re.compile(r"//[^/\s]*@")
_TOO_LONG: Final = frozenset({"too_long", "string_too_long"})
_TOO_SHORT: Final = frozenset({"too_short", "string_too_short"})


def explain(group: type[BaseSettings], error: ValidationError) -> list[str]:
    """One line for each invalid field of `group`; the first rule that a field breaks."""
    lines: dict[str, str] = {}
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else ""
        lines.setdefault(name, _line(group, name, detail))
    return list(lines.values())


def _line(group: type[BaseSettings], name: str, detail: Any) -> str:
    rule = _rule(detail)
    if not name:
        return rule  # of several fields, which it names
    variable = f"{group.model_config.get('env_prefix', '')}{name}".upper()
    if detail["type"] == "missing":
        return f"{variable} is not set, and has no default"
    if _is_secret(group, name):
        return f"{variable}: {rule}"
    return f"{variable}: {shown(detail['input'])}: {rule}"


def _rule(detail: Any) -> str:
    if detail["type"] in _TOO_SHORT:
        return f"must have at least {detail['ctx']['min_length']} characters"
    if detail["type"] in _TOO_LONG:
        return f"must have at most {detail['ctx']['max_length']} characters"
    message: str = detail["msg"].removeprefix("Value error, ")
    return message.replace("Input should be", "must be").replace("String should", "must")


def _is_secret(group: type[BaseSettings], name: str) -> bool:
    field = group.model_fields.get(name)
    return field is None or field.annotation is SecretStr


def path_problems(settings: BaseSettings) -> list[str]:
    """One line for each path of `settings` that breaks the rule of its type."""
    prefix = settings.model_config.get("env_prefix", "")
    lines = []
    for name, field in type(settings).model_fields.items():
        rule, path = path_rule(field), getattr(settings, name, None)
        if rule is None or not isinstance(path, Path):
            continue
        try:
            problem = rule.problem(path)
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        if problem is not None:
            lines.append(f"{prefix}{name}".upper() + f": {shown(path)}: {problem}")
    return lines


def first_of_each(lines: list[str]) -> list[str]:
    """The first line of each variable; later ones follow from the first."""
    first: dict[str, str] = {}
    for line in lines:
        first.setdefault(line.split(":")[0].split(" ")[0], line)
    return list(first.values())


def unknown_variables(
    environ: Mapping[str, str], valid: set[str], *, other_parts: tuple[str, ...] = ()
) -> list[str]:
    """One line for each ``TRADEDAD_`` variable that is not in `valid` and not of `other_parts`.

    The variables of the Python client are no settings of a service, and are ignored.
    """
    ignored = tuple(f"{PREFIX}{part}_" for part in (*other_parts, _CLIENT_PART))
    lines = []
    for name in sorted(environ):
        upper = name.upper()
        if not upper.startswith(PREFIX) or name in valid or upper.startswith(ignored):
            continue
        nearest = difflib.get_close_matches(upper, valid, n=1, cutoff=0.7)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        lines.append(f"{name} is not a setting{hint}")
    return lines


def shown(value: object) -> str:
    """`value` for a message: escaped, of bounded length, without the password of a URL."""
    text = _USER_INFO.sub("//***@", str(value))
    if len(text) > _MAX_SHOWN_CHARS:
        text = f"{text[:_MAX_SHOWN_CHARS]}..."
    return ascii(text)
