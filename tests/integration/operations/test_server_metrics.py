"""The figures of real servers: nats-server, a replica set with access control, and certificates."""

import secrets
import signal
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient

from embedded import binaries, daemons
from embedded.ports import HOST, free_ports
from operations.certificates import SERVER_DAYS, create_authority, create_server_certificate
from operations.mongo_setup import MongoSetup
from operations.server_metrics import metrics
from operations.server_metrics.certificates import Certificates, source
from operations.server_metrics.mongo_members import MongoMembers
from operations.server_metrics.nats_servers import NatsServers
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess, child_process
from tests.support.servers import (
    Daemon,
    MongoServer,
    NatsServer,
    data_folder,
    mongod_program,
    run_mongo,
    run_nats,
)
from tests.support.waiting import eventually, wait_until

NOW: Final = datetime.now(UTC)
MESSAGES: Final = 5


def monitor_url(server: NatsServer) -> str:
    command = [str(part) for part in server._command]
    return f"http://{HOST}:{command[command.index('-m') + 1]}"


async def test_figures_of_a_nats_server_and_none_but_that_it_is_down_once_it_is_killed() -> None:
    with run_nats() as server:
        client = await server.connect("ingest")
        try:
            jetstream = client.jetstream()
            await jetstream.add_stream(name="TICKS", subjects=["md.quote.>"])
            for _ in range(MESSAGES):
                await jetstream.publish("md.quote.NSE_EQ.X", b"{}")
            async with aiohttp.ClientSession() as http:
                reader = NatsServers([monitor_url(server)], http)
                figures = (await reader.read()).gauges
                name = (monitor_url(server).removeprefix("http://"),)
                assert figures[metrics.NATS_UP] == {name: 1}
                assert figures[metrics.NATS_CONNECTIONS] == {name: 1}
                assert figures[metrics.NATS_CLUSTER_SERVERS] == {name: 1}
                assert figures[metrics.NATS_STREAM_MESSAGES] == {("TICKS",): MESSAGES}
                assert figures[metrics.NATS_STREAM_LAST_SEQUENCE] == {("TICKS",): MESSAGES}
                assert figures[metrics.NATS_STREAM_HAS_LEADER] == {("TICKS",): True}
                assert figures[metrics.NATS_STORAGE_BYTES][name] > 0
                assert figures[metrics.NATS_STORAGE_LIMIT_BYTES] == {name: 16 << 30}
                server.kill()
                after = (await reader.read()).gauges
        finally:
            await client.close()
    assert {gauge: values for gauge, values in after.items() if values} == {
        metrics.NATS_UP: {name: 0}
    }


@pytest.fixture
def replica_set() -> Iterator[tuple[list[Daemon], str]]:
    """Two mongods with access control, and the URL of the user that reads figures."""
    with data_folder("tradedad-mongo-") as folder, ExitStack() as stack:
        key = folder / "key"
        key.write_text(secrets.token_hex(256))
        key.chmod(0o600)
        daemon_list = []
        for port in free_ports(2):
            command = daemons.mongod_command(mongod_program(), port=port, folder=folder / str(port))
            daemon = Daemon([*command, "--keyFile", str(key)], port, {})
            stack.enter_context(child_process(daemon))
            daemon_list.append(daemon)
        members = [f"{HOST}:{daemon.port}" for daemon in daemon_list]
        setup = MongoSetup(members, key.read_text(), {"auth": "a"}, [], {}, "figures")
        for _ in range(2):  # the second time changes user and role
            setup.run(PATIENCE_SECS)
        with MongoClient[dict[str, object]](
            members, replicaSet="tradedad", username="auth", password="a", authSource="tradedad"
        ) as client:
            client["tradedad"]["users"].insert_one({"email": "me@example.com"})
        url = f"mongodb://monitor:figures@{','.join(members)}/?replicaSet=tradedad&authSource=admin"
        yield daemon_list, url


async def test_figures_of_a_replica_set_by_a_user_that_can_read_no_document(
    replica_set: tuple[list[Daemon], str],
) -> None:
    members, url = replica_set
    names = [(f"{HOST}:{daemon.port}",) for daemon in members]
    reader = MongoMembers(url)
    try:

        async def are_both_in_order() -> bool:
            gauges = (await reader.read()).gauges
            states = gauges[metrics.MONGODB_MEMBERS]
            return (
                (states[("primary",)], states[("secondary",)]) == (1, 1)
                and gauges[metrics.MONGODB_UP] == dict.fromkeys(names, 1)
                and set(gauges[metrics.MONGODB_DISK_FREE_BYTES]) == set(names)
            )

        await eventually(are_both_in_order, what="both members are in order")
        gauges = (await reader.read()).gauges
        for gauge in (
            metrics.MONGODB_REPLICATION_LAG_SECONDS, metrics.MONGODB_OPLOG_WINDOW_SECONDS,
            metrics.MONGODB_CONNECTIONS, metrics.MONGODB_CONNECTIONS_LEFT,
        ):  # fmt: skip
            assert set(gauges[gauge]) == set(names), gauge
        free, size = gauges[metrics.MONGODB_DISK_FREE_BYTES], gauges[metrics.MONGODB_DISK_BYTES]
        assert all(0 < free[name] < size[name] for name in names)

        members[1].kill()

        async def is_the_primary_gone() -> bool:
            after = (await reader.read()).gauges
            states = after[metrics.MONGODB_MEMBERS]
            return (states[("primary",)], states[("unreachable",)]) == (0, 1) and after[
                metrics.MONGODB_UP
            ] == {names[0]: 1, names[1]: 0}

        await eventually(is_the_primary_gone, what="one member of two cannot be a primary")
    finally:
        await reader.close()


def tls_folder(folder: Path) -> Path:
    pair = create_server_certificate(create_authority(NOW), ("localhost", HOST), NOW)
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    (folder / "both.pem").write_bytes(pair.certificate + pair.key)
    return folder


async def test_certificates_are_read_as_nats_server_and_mongod_present_them() -> None:
    nats_port, mongo_port = free_ports(2)
    with data_folder("tradedad-tls-") as folder, ExitStack() as stack:
        tls = tls_folder(folder)
        config = folder / "nats.conf"
        config.write_text(
            f'listen: "{HOST}:{nats_port}"\n'
            f'tls {{ cert_file: "{tls}/tls.crt", key_file: "{tls}/tls.key" }}\n'
        )
        nats = [str(binaries.nats_server(None, allow_apt=False)), "-c", str(config)]
        mongo = daemons.mongod_command(mongod_program(), port=mongo_port, folder=folder / "db")
        options = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(tls / "both.pem")]
        stack.enter_context(child_process(Daemon(nats, nats_port, {})))
        stack.enter_context(child_process(Daemon([*mongo, *options], mongo_port, {})))
        texts = [
            f"nats=nats:{HOST}:{nats_port}",
            f"mongo=tls:{HOST}:{mongo_port}",
            "away=tls:[::1]:1",
        ]
        figures = (await Certificates([source(text) for text in texts]).read()).gauges
    end_secs = int((NOW + timedelta(days=SERVER_DAYS)).timestamp())
    assert figures[metrics.CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS] == {
        ("nats",): end_secs,
        ("mongo",): end_secs,
    }
    assert figures[metrics.CERTIFICATE_READ] == {("nats",): 1, ("mongo",): 1, ("away",): 0}


@pytest.fixture
def servers() -> Iterator[tuple[NatsServer, MongoServer]]:
    with run_nats() as nats, run_mongo() as mongo:
        yield nats, mongo


def test_the_process_serves_all_figures_and_none_of_a_service_and_ends_by_a_signal(
    servers: tuple[NatsServer, MongoServer], tmp_path: Path
) -> None:
    nats, mongo = servers
    (port,) = free_ports(1)
    (tmp_path / "url").write_text(mongo.url)
    (tmp_path / "tls.crt").write_bytes(create_authority(NOW).certificate)
    command = [
        sys.executable, "-m", "operations.server_metrics", "--port", str(port),
        "--nats", monitor_url(nats), "--mongo-url-file", str(tmp_path / "url"),
        "--certificate", f"edge=file:{tmp_path / 'tls.crt'}", "--interval-secs", "0.2",
    ]  # fmt: skip

    def served() -> dict[str, float]:
        assert process.is_running, process.log()
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        families = text_string_to_metric_families(text)
        return {sample.name: sample.value for family in families for sample in family.samples}

    process = ChildProcess("server-metrics", command, {})
    with child_process(process):
        wanted = {"tradedad_nats_up", "tradedad_mongodb_up", "tradedad_certificate_read"}
        wait_until(
            lambda: all(served().get(name) == 1 for name in wanted), what="all figures are served"
        )
        names = served()
        assert "tradedad_event_loop_lag_seconds_count" in names
        assert not [
            name for name in names if name.startswith(("tradedad_auth", "tradedad_trading"))
        ]
        process.send_signal(signal.SIGTERM)
        assert process.wait_exit() == 0, process.log()
