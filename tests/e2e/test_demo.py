"""The demo: a trader's first minute, with every bar equal to the trades."""

from tests.e2e.conftest import Run
from tests.support.patience import LEASE_TTL_SECS, PATIENCE_SECS
from tests.support.settings import FEW_TRADES


def test_the_demo_succeeds_without_the_proxies_of_the_environment(stack_command: Run) -> None:
    # Nothing listens there. Only addresses of this machine are used, so nothing needs a proxy.
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    patient = {
        "TRADEDAD_NATS_LEASE_TTL_SECS": f"{LEASE_TTL_SECS:g}",
        "TRADEDAD_INGEST_FEED_PING_SECS": f"{PATIENCE_SECS:g}",
        "TRADEDAD_SIMULATOR_SEND_TIMEOUT_SECS": f"{PATIENCE_SECS:g}",
    }
    done = stack_command("demo", **dict.fromkeys(names, "http://127.0.0.1:9"), **patient)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bars equal to every trade" in done.stdout
    assert "10 of 10" in done.stdout


def test_a_demo_that_fails_reports_the_reason(stack_command: Run) -> None:
    done = stack_command(
        "demo",
        TRADEDAD_SIMULATOR_ACCESS_TOKEN="another",
        **FEW_TRADES,
        TRADEDAD_STACK_START_TIMEOUT_SECS="45",
    )
    assert done.returncode != 0
    report = " ".join(done.stdout.split())
    assert "demo failed: not ready after 45 s:" in report
    assert "ingest (" in report
    assert "Upstox has refused it" in report
