"""A real Prometheus and a real Alertmanager around a stack, with the committed configuration."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import yaml

from docgen.monitoring.check import ALERTMANAGER_CONFIG, PROMETHEUS_CONFIG
from docgen.monitoring.rule_files import RULES
from embedded.ports import HOST, free_ports
from tests.support.monitoring import monitoring_program
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess, child_process
from tests.support.waiting import wait_until

_INTERVAL: Final = "2s"


class AlertReceiver:
    """The webhook of the operators: remembers what it is told, by the path of the URL."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                message = json.loads(self.rfile.read(length))
                receiver.received += [(self.path, alert) for alert in message["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not to stderr."""

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self.server.server_port}"

    def alerts(self, path: str, status: str) -> dict[str, dict[str, Any]]:
        """The alerts of a status that were sent to `path`, by name."""
        return {
            alert["labels"]["alertname"]: alert
            for at, alert in list(self.received)
            if at == path and alert["status"] == status
        }


class Prometheus:
    """Answers queries."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query. Fails if Prometheus refuses the expression."""
        text = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(
            f"{self.url}/api/v1/query?{text}", timeout=PATIENCE_SECS
        ) as response:
            result: list[dict[str, Any]] = json.load(response)["data"]["result"]
        return result


@contextmanager
def watched(
    ops_urls: Mapping[str, str], folder: Path
) -> Iterator[tuple[Prometheus, AlertReceiver]]:
    """Prometheus scrapes each service at its URL; its alerts reach the receiver.

    Only addresses and intervals differ from the committed configuration.
    """
    port, alertmanager_port = free_ports(2)
    receiver = AlertReceiver()
    (folder / "prometheus.yml").write_text(_prometheus(ops_urls, alertmanager_port))
    (folder / "alertmanager.yml").write_text(_alertmanager(receiver.url))
    with ExitStack() as stack:
        thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
        thread.start()
        stack.callback(receiver.server.server_close)
        stack.callback(receiver.server.shutdown)
        alertmanager = ChildProcess(
            "alertmanager",
            [
                monitoring_program("prometheus-alertmanager"),
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={HOST}:{alertmanager_port}",
                "--cluster.listen-address=",
                "--log.level=warn",
            ],
            {},
        )
        stack.enter_context(child_process(alertmanager))
        prometheus = ChildProcess(
            "prometheus",
            [
                monitoring_program("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address={HOST}:{port}",
                # The first notification can be lost while Alertmanager is being found.
                "--rules.alert.resend-delay=2s",
                "--log.level=warn",
            ],
            {},
        )
        stack.enter_context(child_process(prometheus))
        for process, at in ((alertmanager, alertmanager_port), (prometheus, port)):
            _wait_ready(process, at)
        yield Prometheus(f"http://{HOST}:{port}"), receiver


def _wait_ready(process: ChildProcess, port: int) -> None:
    def is_ready() -> bool:
        assert process.is_running, process.log()
        try:
            with urllib.request.urlopen(
                f"http://{HOST}:{port}/-/ready", timeout=PATIENCE_SECS
            ) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    wait_until(is_ready, what=f"{process.name} is ready")


def _prometheus(ops_urls: Mapping[str, str], alertmanager_port: int) -> str:
    config = yaml.safe_load(PROMETHEUS_CONFIG.read_text())
    config["global"] = dict.fromkeys(config["global"], _INTERVAL)
    config["rule_files"] = [str(RULES / "*.yml")]
    config["alerting"]["alertmanagers"] = [
        {"static_configs": [{"targets": [f"{HOST}:{alertmanager_port}"]}]}
    ]
    for job in config["scrape_configs"]:
        del job["dns_sd_configs"]
        address = ops_urls[job["job_name"]].removeprefix("http://")
        job["static_configs"] = [{"targets": [address]}]
    return str(yaml.safe_dump(config))


def _alertmanager(receiver_url: str) -> str:
    config = yaml.safe_load(ALERTMANAGER_CONFIG.read_text())
    config["route"] |= {"group_wait": "1s", "group_interval": _INTERVAL}
    for receiver in config["receivers"]:
        for webhook in receiver["webhook_configs"]:
            path = urllib.parse.urlsplit(webhook["url"]).path
            webhook["url"] = receiver_url + path
    return str(yaml.safe_dump(config))
