"""nginx with the configuration of deploy/nginx, without TLS, in front of gateways with fixed ports."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from embedded.binaries import MissingProgramError, apt_install, can_use_apt
from embedded.daemons import ROOT
from embedded.ports import HOST, free_ports
from embedded.settings import StackSettings
from shared.runtime.settings import load
from tests.support.processes import ChildProcess, child_process

_PACKAGE: Final = "nginx-light"
_FOLDER: Final = ROOT / "deploy" / "nginx"
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
# TLS, which would only cost time here, and names, which do not exist here.
_LEFT_OUT: Final = ("resolver ", "http2 ", "ssl_", "set $gateway", "add_header")


def nginx_program() -> Path:
    """The path of nginx. Raises MissingProgramError with the remedy."""
    found = shutil.which("nginx", path=_PATH)
    if found is None:
        raise MissingProgramError(f"tests need nginx; run: sudo apt-get install {_PACKAGE}")
    return Path(found)


def install_nginx() -> Path:
    """The same; installs Debian's package if nginx is missing and apt-get may be used."""
    try:
        return nginx_program()
    except MissingProgramError:
        if not (load(StackSettings).allow_apt and can_use_apt()):
            raise
        apt_install(_PACKAGE)
        return nginx_program()


@contextmanager
def nginx_before(gateway_ports: Sequence[int]) -> Iterator[str]:
    """Runs nginx; yields its URL."""
    port, health_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="tradedad-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "gateway.conf").write_text(_gateways(gateway_ports, port, health_port))
        (folder / "nginx.conf").write_text(_main(folder))
        command: list[str | Path] = [
            nginx_program(), "-p", f"{folder}/", "-c", folder / "nginx.conf", "-e", "stderr",
            "-g", "daemon off;",
        ]  # fmt: skip
        with child_process(ChildProcess("nginx", command, os.environ)):
            yield f"http://{HOST}:{port}"


def _main(folder: Path) -> str:
    text = (_FOLDER / "nginx.conf").read_text()
    assert "/tmp/gateway.conf" in text
    return text.replace("/tmp/", f"{folder}/")


def _gateways(ports: Sequence[int], port: int, health_port: int) -> str:
    """The template, with the addresses that DNS would give for the name `gateway`."""
    text = (_FOLDER / "templates" / "gateway.conf.template").read_text()
    lines = [line for line in text.splitlines() if not line.strip().startswith(_LEFT_OUT)]
    text = "\n".join(lines)
    for old, new in {
        "listen 8443 ssl;": f"listen {HOST}:{port};",
        "listen 127.0.0.1:8080;": f"listen {HOST}:{health_port};",
        "proxy_pass http://$gateway:7400;": "proxy_pass http://gateways;",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    assert not re.search(r"\$\{", text)
    # By name, nginx remembers no failure of an address: it tries all of them for each request.
    servers = "".join(f"  server {HOST}:{each} max_fails=0;\n" for each in ports)
    return f"upstream gateways {{\n{servers}}}\n{text}\n"
