"""Commands of the embedded stack: ``python -m embedded run|demo|prepare|check-config``."""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from embedded import demo
from embedded.binaries import MissingProgramError
from embedded.daemons import NATS_CONFIG
from embedded.plan import Plan, find_programs, prepare
from embedded.settings import StackSettings
from embedded.stack import Stack, StackFailedError, log_tail
from operations.secret_files import NATS_PASSWORDS, generate_secret
from shared.errors import ConfigError, TradeDadError
from shared.runtime import exit_codes
from shared.runtime.settings import load


def run() -> int:
    """Run the stack until it is interrupted."""
    plan = prepare()
    timeout_secs = load(StackSettings).start_timeout_secs
    with Stack(plan) as stack:
        try:
            stack.wait_ready(timeout_secs)
            print(_addresses(plan), flush=True)
            return stack.wait()
        except KeyboardInterrupt:
            return exit_codes.OK


def _addresses(plan: Plan) -> str:
    gateway = plan.url("TRADEDAD_GATEWAY_PORT")
    lines = [
        "",
        "Trade Dad is ready.",
        f"  open       {gateway}/",
        f"  stream     {gateway.replace('http', 'ws')}/ws",
        f"  REST       {gateway}/v1/openapi.json",
        f"  sign up    POST {gateway}/auth/signup",
        f"  log in     POST {gateway}/auth/login",
        f"  simulator  {plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/instruments",
        f"  NATS       {plan.nats_url}",
        f"  MongoDB    {plan.mongo_url}",
        "  /healthz, /readyz and /metrics of each service:",
        *(f"    {name:<10} {url}" for name, url in plan.ops_urls.items()),
        f"  data       {plan.data_dir}",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def run_demo() -> int:
    """Run the demo on a new stack, in a temporary folder."""
    console = Console(highlight=False)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tradedad-demo-") as folder:
        plan = prepare(
            data_dir=Path(folder),
            use_free_ports=True,
            overrides=demo.overrides(),
            always_simulated=True,
        )
        timeout_secs = load(StackSettings).start_timeout_secs
        log_path = Path(folder) / "stack.log"
        console.print("starting NATS, MongoDB, a simulated Upstox and the services ...")
        try:
            with log_path.open("wb") as output, Stack(plan, output) as stack:
                stack.wait_ready(timeout_secs, lambda name: console.print(f"  {name} is ready"))
                report = asyncio.run(demo.run_demo(plan, console))
                stack.check_alive()
        except (TradeDadError, OSError) as error:
            console.print(f"end of the stack's log:\n{log_tail(log_path)}", markup=False)
            console.print(f"demo failed: {error}", style="bold red", markup=False)
            return exit_codes.FAILED
    demo.print_report(report, time.monotonic() - started, console)
    return exit_codes.OK


def prepare_programs() -> int:
    """Find nats-server and mongod, or install them."""
    find_programs()
    return exit_codes.OK


def check_config() -> int:
    """Check the configuration of nats-server with nats-server itself."""
    nats_server, _ = find_programs()
    secrets = dict.fromkeys(NATS_PASSWORDS, generate_secret())
    done = subprocess.run(
        [nats_server, "-t", "-c", NATS_CONFIG],
        env=secrets,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    return done.returncode


COMMANDS = {
    "run": run,
    "demo": run_demo,
    "prepare": prepare_programs,
    "check-config": check_config,
}


def main() -> int:
    """Run the command of the command line and return its exit code."""
    command = COMMANDS.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if command is None:
        print(f"usage: python -m embedded {'|'.join(COMMANDS)}", file=sys.stderr)
        return exit_codes.CONFIG
    # Unwind on these signals too, so that the processes of the stack are stopped.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return command()
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return exit_codes.CONFIG
    except (MissingProgramError, StackFailedError) as error:
        print(error, file=sys.stderr)
        return exit_codes.FAILED
    except KeyboardInterrupt:
        return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
