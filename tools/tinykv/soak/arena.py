"""What faults are done to: the stores, their network and the load, watched as time goes by."""
from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .. import leader
from ..console import Failure
from .disk import SmallDisk
from .load import Load
from .network import Network
from .stores import Store, log_entries, region, what_is_missing

# Bounds, not waits: each is left as soon as what is waited for has happened. The load lets keys rest
# for longer than what the first allows a fault to last.
FELT_SECONDS_MAX = 60.0
WHOLE_SECONDS_MAX = 180.0

# How long a fault lasts at least: more than the two election timeouts after which a store that hears
# nobody stands for election.
HOLD_SECONDS_MIN = 2.5

POLL_SECONDS = 0.1
# What is asked between two looks takes no longer, unless we stood still.
STEP_SECONDS_MAX = 10.0
SAMPLE_SECONDS = 3.0


# A thread that only sleeps is not kept waiting for so long by a busy machine.
STANDSTILL_SECONDS_MIN = 3.0


@dataclass(frozen=True)
class Sample:
    """What a store had at a moment. `starts` tells one process of it from the next."""

    at: float
    store: int
    starts: int
    memory_bytes: int
    disk_bytes: int
    log_entries: int | None  # None where it does not say


class Standstill:
    """Notices when the whole machine sleeps, or we are paused: then calls fail that should not."""

    def __init__(self) -> None:
        self.seconds = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        before = time.monotonic()
        while True:
            time.sleep(STANDSTILL_SECONDS_MIN / 4)
            now = time.monotonic()
            if now - before > STANDSTILL_SECONDS_MIN:
                self.seconds += now - before
            before = now


@dataclass
class Arena:
    """Everything there is, and what was seen of it."""

    stores: dict[int, Store]
    network: Network
    load: Load
    workers: int
    random: random.Random
    hold_seconds_max: float = 0.0  # how much longer than HOLD_SECONDS_MIN a fault may last, once felt
    small_disk: SmallDisk | None = None  # where a store's disk can be filled
    on_start: Callable[[int], None] = lambda _pid: None  # is told of each process
    standstill: Standstill = field(default_factory=Standstill)
    begin: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.begin

    def reports(self, stores: Iterable[int]) -> list[dict | None]:
        """What stores say of themselves."""
        return [self.stores[number].report() for number in stores]

    def start(self, store: int, **more: str) -> None:
        """Starts a store again."""
        self.stores[store].start(**more)
        self.on_start(self.stores[store].pid)

    def leader(self) -> int:
        """The store that all say leads; there is one once it is awaited whole."""
        self.wait_whole()
        return leader.agreed(self.reports(self.stores))

    def followers(self) -> list[int]:
        """All but the leader."""
        return self.others(self.leader())

    def others(self, store: int) -> list[int]:
        """All stores but one."""
        return [number for number in self.stores if number != store]

    def tick(self) -> None:
        """What goes on while we wait: whether all is well, and now and then a sample."""
        self.load.check()
        for store in self.stores.values():
            store.check()
        last = self.samples[-1].at if self.samples else -SAMPLE_SECONDS
        if self.now() - last >= SAMPLE_SECONDS:
            self.samples += [self._sample(store) for store in self.stores.values() if store.pid]
        time.sleep(POLL_SECONDS)

    def _sample(self, store: Store) -> Sample:
        report = store.report()
        return Sample(
            at=self.now(),
            store=store.number,
            starts=store.starts,
            memory_bytes=store.memory_bytes(),
            disk_bytes=store.disk_bytes(),
            log_entries=log_entries(report) if region(report) else None,
        )

    def wait_until(self, missing: Callable[[], str], seconds_max: float) -> None:
        """Waits until nothing is missing."""
        waited, before = 0.0, time.monotonic()
        while why := missing():
            now = time.monotonic()
            # A machine that slept, or was paused as a whole, has not waited.
            waited += min(now - before, STEP_SECONDS_MAX)
            before = now
            if waited > seconds_max:
                raise Failure(f"after {seconds_max:.0f} s: {why}")
            self.tick()

    def wait_whole(self) -> None:
        """Waits until all stores serve, agree on a leader and have caught up."""
        self.wait_until(
            lambda: what_is_missing(self.reports(self.stores), self.stores), WHOLE_SECONDS_MAX
        )

    def wait_leader_without(self, lost: int) -> int:
        """Waits until all stores but one agree on a leader among them; who that is."""
        others = [number for number in self.stores if number != lost]

        def missing() -> str:
            found = leader.agreed(self.reports(others))
            return "" if found in others else f"the stores without store-{lost} have no leader"

        self.wait_until(missing, FELT_SECONDS_MAX)
        return leader.agreed(self.reports(others))

    def wait_writes(self) -> None:
        """Waits until writes are acknowledged that were started after this call."""
        enough = self.load.written() + self.workers + 1

        def missing() -> str:
            left = enough - self.load.written()
            return f"{left} more writes should have been acknowledged" if left > 0 else ""

        self.wait_until(missing, FELT_SECONDS_MAX)

    def read_all(self) -> dict:
        """Has all keys read and checked; what came of it."""
        events: list[dict] = []

        def missing() -> str:
            events.append(self.load.read_all())
            return events[-1]["error"]

        self.wait_until(missing, WHOLE_SECONDS_MAX)
        return events[-1]

    def hold(self) -> None:
        """Lets a fault last for a while longer."""
        self.run_for(HOLD_SECONDS_MIN + self.random.uniform(0, self.hold_seconds_max))

    def run_for(self, seconds: float) -> None:
        """Lets the load go on."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()
