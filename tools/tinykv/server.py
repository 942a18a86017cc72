"""One server process: started apart from us, asked whether it serves, stopped."""
from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import address as addresses
from .address import Address
from .console import Failure, warn
from .state import Member, birth
from .workspace import shown

# Bounds, not waits: each is left as soon as there is an answer. Starting may replay a long log;
# stopping may finish requests and flush.
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 60.0

POLL_SECONDS = 0.02
LOG_BYTES_MAX = 16 << 20
LOG_TAIL_LINES = 20


@dataclass(frozen=True)
class Plan:
    """A server to be started."""

    program: Path
    flags: Sequence[str]
    status_address: Address
    log: Path
    store: int = 0  # its number in a cluster; 0 where it is alone
    new_data: Path | None = None  # what it will make, and nobody misses if it does not start
    prefix: Sequence[str] = ()  # of the command: what it is started by, in its place and as its process

    @property
    def name(self) -> str:
        """What it is called: the program, or which store of a cluster."""
        return f"store-{self.store}" if self.store else self.program.name


def check_config(program: Path, flags: Sequence[str]) -> None:
    """Has a server read its configuration without starting."""
    command = [program, "--check-config", *flags]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise last_words(program.name, result.stderr, result.returncode)


def prepare_log(log: Path) -> int:
    """Makes room for a log and returns its size: the next start's lines begin there."""
    log.parent.mkdir(parents=True, exist_ok=True)
    size = log.stat().st_size if log.exists() else 0
    if size > LOG_BYTES_MAX:
        os.replace(log, log.with_suffix(".log.old"))
        return 0
    return size


def spawn(plan: Plan) -> subprocess.Popen:
    """Starts the server in a session of its own: it outlives us and our terminal."""
    with open(plan.log, "ab") as log:
        return subprocess.Popen(
            [*plan.prefix, plan.program, *plan.flags],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def newborn(plan: Plan, child: subprocess.Popen) -> Member:
    """What is known of a server as soon as it is started."""
    return Member(
        name=plan.name,
        pid=child.pid,
        born=birth(child.pid),
        address="",
        status_address=str(plan.status_address),
        data="",
        log=str(plan.log),
        flags=list(plan.flags),
    )


def wait_until_serving(plan: Plan, child: subprocess.Popen, log_begin: int) -> dict:
    """Asks the server until it serves; its own description of itself.

    The answer must come from `child`: the address may be another server's, and `child` then about
    to fail. `log_begin` is what prepare_log() returned.
    """
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        if child.poll() is not None:
            raise ended(plan, child, log_begin)
        answer = ask(plan.status_address)
        if answer and answer.get("serving") and answer.get("pid") == child.pid:
            return answer
        if time.monotonic() > deadline:
            raise Failure(
                f"{plan.name} did not say within {START_SECONDS_MAX:.0f} s that it serves, at "
                f"http://{plan.status_address.reachable}/status; its log: {shown(plan.log)}",
                tail(plan.log),
            )
        time.sleep(POLL_SECONDS)


def ended(plan: Plan, child: subprocess.Popen, log_begin: int) -> Failure:
    """Why a server that had been started ended."""
    words = last_words(plan.program.name, log_since(plan.log, log_begin), child.returncode)
    return Failure(f"{plan.name}: {words}", words.details) if plan.store else words


def ask(where: Address) -> dict | None:
    """A server's answer to GET /status; None where nobody answers, or something else does."""
    return ask_json(where.reachable, "GET", "/status")


def ask_json(where: Address, method: str, path: str, body: str | None = None) -> dict | None:
    """The object that an HTTP server answers with; None where it does not."""
    connection = http.client.HTTPConnection(where.host.strip("[]"), where.port, timeout=2)
    try:
        connection.request(method, path, body)
        answer = json.loads(connection.getresponse().read())
        return answer if isinstance(answer, dict) else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def ask_member(member: Member) -> dict | None:
    """The same, of a server that we started."""
    answer = ask(addresses.parse(member.status_address, "status address"))
    return answer if answer and answer.get("pid") == member.pid else None


def stop(member: Member) -> None:
    """Asks a server to finish, and ends it where it does not; returns when it is gone."""
    if send(member, signal.SIGTERM) and not gone_within(member, STOP_SECONDS_MAX):
        warn(
            f"{member.name} (pid {member.pid}) did not finish within {STOP_SECONDS_MAX:.0f} s; "
            f"killing it (its log: {shown(Path(member.log))})"
        )
        if send(member, signal.SIGKILL) and not gone_within(member, STOP_SECONDS_MAX):
            raise Failure(f"{member.name} (pid {member.pid}) does not die; is its disk hanging?")


def send(member: Member, number: signal.Signals) -> bool:
    """Signals a server; False where it is gone already."""
    if not member.alive():
        return False
    try:
        os.kill(member.pid, number)
        return True
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise Failure(
            f"{member.name} (pid {member.pid}) belongs to another user; stop it as that user"
        ) from error


def gone_within(member: Member, seconds: float) -> bool:
    """Waits for a server's end."""
    deadline = time.monotonic() + seconds
    while member.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def abandon(children: Sequence[subprocess.Popen]) -> None:
    """Ends children that never came to serve."""
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def last_words(name: str, output: str, status: int) -> Failure:
    """Why a server ended: the one line that it says so with, or all there is."""
    lines = [line for line in output.splitlines() if line.startswith(f"{name}: ")]
    if lines:
        return Failure(lines[-1])
    if status < 0:
        how = f"was killed by {signal.Signals(-status).name}"
    else:
        how = f"ended with status {status}"
    details = "\n".join(output.splitlines()[-LOG_TAIL_LINES:])
    return Failure(f"{name} {how} and gave no reason", details)


def log_since(log: Path, begin: int) -> str:
    """What a log got since it had `begin` bytes."""
    with open(log, "rb") as file:
        file.seek(begin)
        return file.read().decode("utf-8", errors="replace")


def tail(log: Path) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        recent = log_since(log, max(0, log.stat().st_size - 64 * 1024))
    except OSError:
        return ""
    return "\n".join(recent.splitlines()[-LOG_TAIL_LINES:])
