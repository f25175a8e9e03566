"""The arguments in compose file and manifests are accepted, and name servers and ports that exist."""

import argparse
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploycheck.compose import read
from deploycheck.overlays import OVERLAYS
from embedded.daemons import ROOT
from operations.server_metrics.__main__ import _parser, main, run
from operations.server_metrics.certificates import Source
from shared.errors import ConfigError
from tests.support.manifests import Manifests


def addresses(arguments: argparse.Namespace) -> set[str]:
    """host:port of every server that is read."""
    sources: list[Source] = arguments.certificate
    monitored = {urlsplit(url).netloc for url in arguments.nats}
    return monitored | {one.place for one in sources if one.kind != "file"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_name_every_server_by_an_open_port(overlay: str) -> None:
    manifests = Manifests(overlay)
    module, *arguments = manifests.container("Deployment", "server-metrics")["args"]
    assert module == "operations.server_metrics"
    wanted = set()
    for name, ports in (("nats", ("client", "monitor")), ("mongo", ("mongo",))):
        opened = {
            one["name"]: one["port"] for one in manifests.get("Service", name)["spec"]["ports"]
        }
        replicas = manifests.get("StatefulSet", name)["spec"]["replicas"]
        wanted |= {f"{name}-{n}.{name}:{opened[port]}" for n in range(replicas) for port in ports}
    assert addresses(_parser().parse_args(arguments)) == wanted


def test_the_compose_file_names_services_and_the_ports_that_they_open() -> None:
    services = read(ROOT / "docker-compose.yml")["services"]
    module, *arguments = services["server-metrics"]["command"]
    assert module == "operations.server_metrics"
    assert addresses(_parser().parse_args(arguments)) == {"nats:8222", "nginx:8443"}
    assert "8222" in services["nats"]["command"]
    template = (ROOT / "deploy" / "nginx" / "templates" / "gateway.conf.template").read_text()
    assert re.search(r"listen 8443 ssl;", template)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("mongo://monitor:a-password@host/", "no connection URL"), (None, "No such file")],
)
async def test_a_file_without_a_url_is_named_and_its_text_is_not_shown(
    text: str | None, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "url"
    if text is not None:
        path.write_text(text)
    arguments = _parser().parse_args(["--port", "0", "--mongo-url-file", str(path)])
    with pytest.raises(ConfigError) as caught:
        await run(arguments)
    (line,) = caught.value.problems
    assert str(path) in line
    assert problem in line
    assert "a-password" not in line


def test_a_bad_argument_is_refused_with_its_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["--certificate", "edge=nginx:8443"])
    assert "NAME=tls:HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "nothing to read"),
        *(
            (["--nats", "http://127.0.0.1:8222", "--interval-secs", text], "--interval-secs")
            for text in ("0", "-1", "nan", "inf", "1e9", "soon")
        ),
    ],
)
def test_arguments_with_which_nothing_is_read_are_refused(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert named in capsys.readouterr().err
