"""./tinykv soak: sets everything up, breaks it fault by fault, and tells what came of it."""
from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import plans
from ..console import GREEN, RED, Failure, colour, duration, say
from ..workspace import Workspace, shown
from . import disk, faults, leftovers, namespaces, verdicts
from .arena import Arena
from .disk import SmallDisk
from .faults import Fault
from .leftovers import Record
from .load import PROGRAM, Load, Violation
from .namespaces import Namespaces
from .network import CLIENT, Network
from .proxies import Proxies
from .stores import Store
from .verdicts import MIB, Bounds, Verdict

STORES = (1, 2, 3)
STAGE = 2

KEYS = 2000
VALUE_BYTES_MAX = 4096
WORKERS = 16

# Of a call. The client's default of 5 s is for machines that do nothing else meanwhile.
DEADLINE_SECONDS = 10
# Longer than a fault lasts (arena.FELT_SECONDS_MAX, and some) and a connection then lives.
REST_SECONDS = 120

# Small, so that flushes, compactions and log GC come often, and a run of minutes says as much as one
# of hours with the defaults.
MEMTABLE_BYTES = 4 * MIB
BLOCK_CACHE_BYTES = 16 * MIB
LOG_ENTRIES_MAX = 2000

CALM_SECONDS_MAX = 15.0  # between two faults of a long run
HOLD_SECONDS_MAX = 12.0

BOUNDS = Bounds(
    # Two engines with three memtables each, two caches (of which the raft engine's has 8 MiB at
    # most), Raft's log, what is being applied and sent, and gRPC with its threads.
    memory_bytes=160 * MIB,
    # For each engine eight memtables' worth of write-ahead logs and tables that wait to be merged; the
    # keys, before and after a compaction, and as snapshots that are sent and received.
    disk_bytes=2 * 8 * MEMTABLE_BYTES + 4 * KEYS * VALUE_BYTES_MAX,
    # Half as many more are kept for a store that is behind; the rest is what comes in until the
    # command to compact is decided.
    log_entries=2 * LOG_ENTRIES_MAX,
)


@dataclass(frozen=True)
class Wishes:
    """The flags of the command."""

    minutes: float = 0.0  # 0: each fault once
    seed: int = 1
    rate: int = 600
    network: str | None = None
    only: list[str] = field(default_factory=list)
    json: Path | None = None


@dataclass
class Struck:
    """A fault that is over."""

    at: float
    name: str
    whom: str
    seconds: float
    counts: dict
    standstill_seconds: float = 0.0  # of the whole machine


@dataclass
class Outcome:
    """All that a run came to; what --json writes."""

    seed: int
    network: str
    seconds: float = 0.0
    left_out: list[str] = field(default_factory=list)
    faults: list[Struck] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    written: int = 0
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing went wrong."""
        return not self.failure and all(verdict.passed for verdict in self.verdicts)


def run(workspace: Workspace, wishes: Wishes, programs: Path) -> Outcome:
    """A whole run; `programs` is where the server and the load are.

    Its folder below .tinykv is removed where all went well, and else kept and named.
    """
    leftovers.remove_all(workspace.state / "soak")
    folder = workspace.state / "soak" / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    outcome = Outcome(wishes.seed, wishes.network or best_network())
    record = Record(folder)
    try:
        with contextlib.ExitStack() as stack:
            arena = build(folder, record, programs, wishes, outcome, stack)
            try:
                soak(arena, wishes, outcome)
                outcome.verdicts += final_verdicts(arena, wishes)
            finally:
                outcome.seconds = arena.now()
    except Failure as failure:
        outcome.failure = str(failure)
        tell_failure(failure, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    if outcome.passed:
        shutil.rmtree(folder)
    else:
        record.keep()
    return outcome


def tell_failure(failure: Failure, folder: Path) -> None:
    """What went wrong, and where the rest is to be found."""
    if failure.details:
        say(failure.details.rstrip())
    kind = "an answer that cannot be" if isinstance(failure, Violation) else "failed"
    say(f"{colour(kind, RED)}: {failure}")
    say(f"data and logs are kept in {shown(folder)}")


def build(
    folder: Path, record: Record, programs: Path, wishes: Wishes, outcome: Outcome,
    stack: contextlib.ExitStack,
) -> Arena:
    """Starts everything; `stack` ends it."""
    source = random.Random(wishes.seed)
    net = stack.enter_context(contextlib.closing(network_of(outcome.network, record)))
    small = None
    if disk.mounting_allowed():
        small = SmallDisk(folder / "small-disk", source.choice(STORES))
        stack.callback(small.close)
    stores = {}
    for number in STORES:
        place = small.folder if small and small.store == number else folder
        stores[number] = store_of(number, programs, place, folder, net)
        stack.callback(stores[number].kill)
    load = Load(load_command(programs, net, wishes), folder / "load.log")
    stack.callback(load.close)
    say(f"three stores, network by {net.name}, seed {wishes.seed}; logs: {shown(folder)}")
    hold = HOLD_SECONDS_MAX if wishes.minutes else 0.0
    arena = Arena(stores, net, load, WORKERS, source, hold, small, on_start=record.started)
    for number in STORES:
        arena.start(number, new="true")
    return arena


def best_network() -> str:
    """The one that is most like a network of those that this machine allows."""
    return Namespaces.name if namespaces.allowed() else Proxies.name


def network_of(kind: str, record: Record) -> Network:
    """Makes the network."""
    if kind == Proxies.name:
        return Proxies(STORES)
    if not namespaces.allowed():
        raise Failure(
            f"--network {kind} needs root, the package iproute2, and a kernel that lets root make "
            f"network namespaces, links and bridges; --network {Proxies.name} needs nothing"
        )
    record.tagged(namespaces.tag(os.getpid()))
    return Namespaces(STORES, os.getpid())


def store_of(number: int, programs: Path, place: Path, folder: Path, net: Network) -> Store:
    """One store, not started."""
    flags = {
        "--data": str(place / f"store-{number}"),
        "--listen": str(net.listen(number)),
        "--status-listen": str(net.status(number)),
        "--cluster.store-id": str(number),
        "--cluster.stores": ",".join(
            f"{other}={net.seen_from(number, other)}" for other in STORES
        ),
        "--engine.memtable-bytes": str(MEMTABLE_BYTES),
        "--engine.block-cache-bytes": str(BLOCK_CACHE_BYTES),
        "--raft.log-entries-max": str(LOG_ENTRIES_MAX),
        "--raft.disk-reserve": str(disk.RESERVE_BYTES),
        "--shutdown-patience": "5s",
    }
    return Store(number, programs / plans.SERVERS[STAGE], flags, folder / f"store-{number}.log", net)


def load_command(programs: Path, net: Network, wishes: Wishes) -> list[str | Path]:
    """How the load is started."""
    flags = {
        "--address": ",".join(str(net.seen_from(CLIENT, store)) for store in STORES),
        "--keys": KEYS,
        "--workers": WORKERS,
        "--rate": wishes.rate,
        "--value-bytes": VALUE_BYTES_MAX,
        "--deadline": DEADLINE_SECONDS,
        "--rest": REST_SECONDS,
        "--seed": wishes.seed,
    }
    return [programs / PROGRAM, *plans.words({key: str(value) for key, value in flags.items()})]


def soak(arena: Arena, wishes: Wishes, outcome: Outcome) -> None:
    """Fault after fault, until the time is over or each had its turn."""
    arena.wait_whole()
    arena.wait_writes()
    arena.load.end_phase()
    chosen, outcome.left_out = choose(arena, wishes.only)
    for fault in sequence(chosen, arena, wishes.minutes):
        if wishes.minutes:
            arena.run_for(arena.random.uniform(0, CALM_SECONDS_MAX))
            arena.load.end_phase()
        outcome.faults.append(strike(fault, arena))
        verdict = within_budget(fault, outcome.faults[-1])
        if verdict:
            outcome.verdicts.append(verdict)
    arena.wait_whole()
    outcome.written = arena.load.written()
    arena.load.stop()
    checked = arena.read_all()
    arena.load.finish()
    say(f"{checked['keys']} keys were read and compared at the end, in {checked['seconds']:.1f} s")


def choose(arena: Arena, only: list[str]) -> tuple[list[Fault], list[str]]:
    """Which faults there will be, and why others not."""
    chosen, left_out = [], []
    for fault in faults.FAULTS:
        if only and fault.name not in only:
            continue
        if fault.name == "fill-disk" and arena.small_disk is None:
            left_out.append(f"{fault.name}: a small disk can be mounted by root alone")
            continue
        chosen.append(fault)
    for why in left_out:
        say(f"left out: {why}")
    return chosen, left_out


def sequence(chosen: list[Fault], arena: Arena, minutes: float) -> Iterator[Fault]:
    """The faults in their order: each once, or as many as there is time for."""
    deck = faults.drawn(chosen, arena.random)
    if not minutes:
        for _ in chosen:
            yield next(deck)
        return
    while arena.now() < minutes * 60:
        yield next(deck)


def strike(fault: Fault, arena: Arena) -> Struck:
    """One fault, from a whole cluster to a whole cluster whose keys are all there."""
    begin, stood = arena.now(), arena.standstill.seconds
    whom = fault.run(arena)
    arena.wait_whole()
    arena.wait_writes()
    arena.read_all()
    counts = arena.load.end_phase()
    struck = Struck(begin, fault.name, whom, arena.now() - begin, counts)
    struck.standstill_seconds = arena.standstill.seconds - stood
    if struck.standstill_seconds:
        whom += f" (all stood still for {struck.standstill_seconds:.0f} s)"
    failed = sum(counts["failed_calls"].values())
    say(
        f"{begin:7.1f} s  {fault.name:<16} {struck.seconds:5.1f} s  {failed:3d} calls failed, "
        f"{counts['longest_gap_seconds']:4.1f} s without a write  {whom}"
    )
    return struck


def within_budget(fault: Fault, struck: Struck) -> Verdict | None:
    """Whether a fault that must not fail any call has not; nothing where deadlines say nothing."""
    if fault.calls_may_fail or struck.standstill_seconds:
        return None
    failed = struck.counts["failed_calls"]
    figures = f"{sum(failed.values())} of them after {DEADLINE_SECONDS} s"
    if failed:
        figures += f", the first with: {struck.counts['first_failure']}"
    return Verdict(f"{fault.name} at {struck.at:.0f} s fails no call", not failed, figures)


def final_verdicts(arena: Arena, wishes: Wishes) -> list[Verdict]:
    """What the samples say."""
    found = verdicts.bounded(arena.samples, BOUNDS)
    # In a short run all processes are young, and memory grows as caches fill.
    if wishes.minutes:
        found += verdicts.memory_flat(arena.samples, arena.now())
    return found


def tell(outcome: Outcome) -> None:
    """The end of a run, for people."""
    for verdict in outcome.verdicts:
        word = colour("yes", GREEN) if verdict.passed else colour("NO ", RED)
        say(f"  {word}  {verdict.name}: {verdict.figures}")
    if not outcome.failure:
        say(
            f"{len(outcome.faults)} faults in {duration(outcome.seconds)}, {outcome.written} writes "
            "acknowledged, and every answer was right"
        )
    say(colour("passed", GREEN) if outcome.passed else colour("FAILED", RED))


def write_json(outcome: Outcome, file: Path) -> None:
    """The same for programs."""
    content = {"passed": outcome.passed, **asdict(outcome), "written_at": int(time.time())}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
