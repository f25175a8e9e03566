"""Rules for Dockerfiles: those of hadolint and those of this project."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploycheck.images import is_pinned
from embedded.daemons import ROOT
from embedded.settings import port_variables

# Rules of hadolint that are not used, each with the reason.
_IGNORED: Final = {
    "DL3059": "two RUN lines may be clearer than one",
}
_ALLOWED_FOLDERS: Final = (
    "services",
    "shared",
    "operations",
    "deploy/",
    "clients/python/pyproject.toml",
    "web",
)
_ROOT_FILES: Final = ("pyproject.toml", "uv.lock", "README.md", "LICENSE")
_TIMEOUT_SECS: Final = 30


def check(path: Path) -> list[str]:
    """One line for each problem."""
    text = path.read_text()
    return [
        *_hadolint(path),
        *_base(text),
        *_last_stages(text),
        *_copied(text),
        *_ports(text),
        *_uv_version(text),
    ]


def _hadolint(path: Path) -> list[str]:
    program = Path(sys.executable).with_name("hadolint")
    ignored = [option for rule in _IGNORED for option in ("--ignore", rule)]
    done = subprocess.run(
        [program, *ignored, "--no-color", str(path)],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECS,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines()
    if done.returncode != 0 and not lines:
        return [f"hadolint ended with exit code {done.returncode}"]
    return lines


def _base(text: str) -> list[str]:
    bases = re.findall(r"^ARG BASE=(\S+)", text, re.MULTILINE)
    lines = [
        f"the base {base} has no registry, tag and digest" for base in bases if not is_pinned(base)
    ]
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    lines += [
        f"FROM {image}: only the pinned base and stages may be used"
        for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        if image != "${BASE}" and image not in stages
    ]
    return lines if bases else [*lines, "there is no ARG BASE"]


def _last_stages(text: str) -> list[str]:
    """The production stage sets a user and a health check, and nothing after them is root's."""
    production = re.search(
        r"^FROM \S+ AS production\n(.*?)(?=^FROM |\Z)", text, re.DOTALL | re.MULTILINE
    )
    if production is None:
        return ["there is no stage production"]
    users = re.findall(r"^USER (\S+)", production[1], re.MULTILINE)
    lines = []
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        lines.append("production: the last USER must be a number above 0")
    if "\nHEALTHCHECK " not in production[1]:
        lines.append("production: there is no HEALTHCHECK")
    later = text[production.end() :]
    return [
        *lines,
        *(
            f"USER {user} after production"
            for user in re.findall(r"^USER (\S+)", later, re.MULTILINE)
        ),
    ]


def _copied(text: str) -> list[str]:
    """Only named folders reach an image; the simulator reaches only its own."""
    lines = []
    stage = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            stage = words[-1]
        if words[:1] != ["COPY"] or words[1].startswith("--from="):
            continue
        for source in words[1:-1]:
            if not source.startswith(_ALLOWED_FOLDERS) and source not in _ROOT_FILES:
                lines.append(f"{stage}: copies {source}")
            if "simulator" in source and stage != "simulator":
                lines.append(f"{stage}: copies {source}")
    return lines


def _ports(text: str) -> list[str]:
    """The operations ports, which the health check reads, are those of the settings."""
    given = dict(re.findall(r"(TRADEDAD_\w+_OPS_PORT)=(\d+)", text))
    expected = {
        name: str(port) for name, port in port_variables().items() if name.endswith("_OPS_PORT")
    }
    return [
        f"{name} is {given.get(name, 'missing')}, not {port}"
        for name, port in expected.items()
        if given.get(name) != port
    ]


def _uv_version(text: str) -> list[str]:
    """Images are built with the uv that developers use."""
    (expected,) = re.findall(
        r"^UV_VERSION=(\S+)", (ROOT / "bin" / "prepare").read_text(), re.MULTILINE
    )
    given = re.findall(r"pip install .*\buv(?:==(\S+))?", text)
    return [] if given == [expected] else [f"uv must be {expected}, as in bin/prepare, not {given}"]
