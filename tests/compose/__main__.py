"""Starts docker-compose.yml under podman, tries it through nginx and TLS, and removes it.

It runs in network and mount namespaces of its own, so nothing else on the machine is touched. It
needs root, and the images of `make images`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from embedded.daemons import ROOT
from tests.compose import images

_INSIDE: Final = "--inside"
_SERVICES: Final = [
    "nats",
    "mongo",
    "mongo-setup",
    "auth",
    "gateway",
    "simulator",
    "ingest-demo",
    "persister-demo",
    "trading-demo",
    "nginx",
    "server-metrics",
]
_BACKUP: Final = "/backups/trial"
_UP_SECS: Final = 180


class Compose:
    """Compose in a folder with the files of the repository, and the podman that it talks to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "podman.sock"
        self.environment = os.environ | {
            "CONTAINERS_CONF": str(images.STANDIN_FOLDER / "containers.conf"),
            "DOCKER_HOST": f"unix://{self.socket}",
            # Debian 12's DNS server of podman may fall silent when containers start at once.
            "COMPOSE_PARALLEL_LIMIT": "1",
            "NATS_IMAGE": images.STANDIN,
            "MONGO_IMAGE": images.STANDIN,
            "NGINX_IMAGE": images.STANDIN,
        }

    def __call__(self, *arguments: str, timeout_secs: float = _UP_SECS) -> None:
        """Run a command of Compose. Raises CalledProcessError or TimeoutExpired."""
        override = str(images.STANDIN_FOLDER / "override.yml")
        files = [
            "-f",
            "docker-compose.yml",
            "-f",
            override,
            "--project-directory",
            str(self.folder),
        ]
        command = [*images.compose_command("--offline"), *files]
        profiles = ["--profile", "demo", "--profile", "setup", "--profile", "backup"]
        subprocess.run(
            [*command, *profiles, *arguments],
            cwd=self.folder,
            env=self.environment,
            timeout=timeout_secs,
            check=True,
        )

    def run(self, *arguments: str) -> None:
        """Run a container that ends. Raises CalledProcessError or TimeoutExpired."""
        self("run", "-T", "--rm", "--pull", "never", *arguments)

    def up(self) -> None:
        """Start all services, and wait. Raises CalledProcessError or TimeoutExpired."""
        started = time.monotonic()
        up = ("up", "--detach", "--no-build", "--pull", "never", "--wait")
        self(*up, "--wait-timeout", str(_UP_SECS - 30), *_SERVICES)
        print(f"all services are healthy after {time.monotonic() - started:.0f} s")

    def down(self, *arguments: str) -> None:
        """Remove all containers. Raises CalledProcessError or TimeoutExpired."""
        self("down", "--timeout", "20", *arguments)

    def podman(self, *arguments: str) -> str:
        """The output of a command of podman."""
        done = subprocess.run(
            ["podman", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout

    @contextmanager
    def service(self) -> Iterator[None]:
        """podman's interface for Compose, and the health checks that systemd would start."""
        command = ["podman", "system", "service", "--time=0", self.environment["DOCKER_HOST"]]
        process = subprocess.Popen(command, env=self.environment)
        stopped = threading.Event()
        checks = threading.Thread(target=self._check_health, args=(stopped,))
        try:
            deadline = time.monotonic() + 30
            while not self.socket.exists():
                assert time.monotonic() < deadline, "podman does not open its socket"
                time.sleep(0.05)
            checks.start()
            yield
        finally:
            stopped.set()
            if checks.is_alive():
                checks.join()
            process.terminate()
            process.wait(30)

    def _check_health(self, stopped: threading.Event) -> None:
        while not stopped.wait(1.0):
            for state in ("starting", "unhealthy"):
                for container in self.podman("ps", "-q", "--filter", f"health={state}").split():
                    self.podman("healthcheck", "run", container)


def _without_outer_dns(path: Path) -> None:
    """Name a DNS server that refuses at once: podman's waits for one that cannot be reached."""
    path.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", str(path), "/etc/resolv.conf"], check=True)


def _try(folder: Path, *arguments: str) -> None:
    """Raises CalledProcessError or TimeoutExpired."""
    subprocess.run(
        [sys.executable, "-m", "tests.compose.trial", *arguments],
        cwd=ROOT,
        env=os.environ | {"SSL_CERT_FILE": str(folder / ".secrets" / "ca.crt")},
        timeout=_UP_SECS,
        check=True,
    )


def _back_up(compose: Compose, keys: Path) -> None:
    """The commands of docs/operations.md. Raises CalledProcessError or TimeoutExpired."""
    compose.run("setup", "operations", "keys", "rotate-passwords", "restore", "--folder=/secrets")
    compose.run("mongo-setup")
    compose.run("--no-deps", "backup", "take", _BACKUP, "--keep-days", "14")
    compose.run("--no-deps", "backup", "verify", _BACKUP)
    volume = f"{keys}:/elsewhere"
    save = ("operations", "backup", "keys", "/elsewhere/keys.tar.gz", "/secrets")
    compose.run("--volume", volume, "setup", *save)


def _restore(compose: Compose, keys: Path) -> None:
    """On a new machine, and once more in place of what is there.

    Raises CalledProcessError or TimeoutExpired.
    """
    compose.down("--volumes")
    shutil.rmtree(compose.folder / ".secrets")
    subprocess.run(
        ["tar", "-xzpf", str(keys / "keys.tar.gz"), "--transform=s,^secrets,.secrets,"],
        cwd=compose.folder,
        check=True,
    )
    compose.run("setup")
    compose.run("restore", _BACKUP)
    compose.down()
    compose.run("restore", _BACKUP, "--replace")


def run() -> int:
    """Start, try and remove the system; prints the logs if a step fails."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="tradedad-compose-") as name:
        folder = Path(name)
        _without_outer_dns(folder / "resolv.conf")
        shutil.copy(ROOT / "docker-compose.yml", folder)
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        keys = folder / "elsewhere"
        keys.mkdir()
        compose = Compose(folder)
        with compose.service():
            try:
                compose.run("setup")
                compose.up()
                _try(folder)
                print(compose.podman("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"))
                _back_up(compose, keys)
                _restore(compose, keys)
                compose.up()
                _try(folder, "restored")
            except Exception:
                print(compose.podman("ps", "-a"), file=sys.stderr)
                compose("logs", "--no-color", "--tail", "20")
                raise
            finally:
                compose.down("--volumes")
    return 0


def main() -> int:
    """Prepare the images, then run again in other namespaces."""
    if sys.argv[1:] == [_INSIDE]:
        return run()
    try:
        images.prepare()
    except images.MissingImageError as error:
        print(error, file=sys.stderr)
        return 1
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.compose", _INSIDE]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
