"""Names of series and labels that a PromQL expression uses. Its syntax is promtool's business."""

import re
from dataclasses import dataclass, field
from typing import Final

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE: Final = re.compile(r"\[[^\]]*\]")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_NAME: Final = re.compile(r"(?<![\w:.])([A-Za-z_:][\w:]*)\s*(\{[^{}]*\}|\()?")
_MATCHER: Final = re.compile(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)")
_KEYWORDS: Final = frozenset(
    [
        "and",
        "atan2",
        "bool",
        "by",
        "group_left",
        "group_right",
        "ignoring",
        "inf",
        "nan",
        "offset",
        "on",
        "or",
        "unless",
        "without",
    ]
)


@dataclass(slots=True)
class Usage:
    """Series and labels that an expression reads."""

    series: dict[str, set[str]] = field(default_factory=dict)
    """By name of the series, the labels that its selectors match."""
    grouping: set[str] = field(default_factory=set)
    """Labels in `by (...)`, `on (...)` and their like."""


def usage(expression: str) -> Usage:
    """The series and labels that `expression` names."""
    found = Usage()
    text = _RANGE.sub("", _STRING.sub('""', expression))
    for labels in _GROUPING.findall(text):
        found.grouping |= set(re.findall(r"\w+", labels))
    for name, rest in _NAME.findall(_GROUPING.sub(" ", text)):
        if rest != "(" and name.lower() not in _KEYWORDS:
            found.series.setdefault(name, set()).update(_MATCHER.findall(rest))
    return found
