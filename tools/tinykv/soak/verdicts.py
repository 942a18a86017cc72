"""What a soak comes to: whether memory was flat, disk and log bounded."""
from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .arena import Sample

MIB = 1 << 20


@dataclass(frozen=True)
class Verdict:
    """One claim about the run, with its figures."""

    name: str
    passed: bool
    figures: str


@dataclass(frozen=True)
class Bounds:
    """What may not be exceeded; soak.settings says where they come from."""

    memory_bytes: int
    disk_bytes: int
    log_entries: int


def quarter(samples: Sequence[Sample], number: int, store: int, seconds: float) -> list[int]:
    """The memory of a store in a quarter (1 to 4) of the run."""
    begin, end = (number - 1) * seconds / 4, number * seconds / 4
    return [s.memory_bytes for s in samples if s.store == store and begin <= s.at < end]


# Of how much more memory in the last quarter than in the second is still flat: a fourth for what
# differs between processes, which are young after a fault and old after none, and as much again as
# the memtables of both engines hold, which fill and empty all the time.
GROWTH_FACTOR = 1.25
GROWTH_BYTES = 24 * MIB


def memory_flat(samples: Sequence[Sample], seconds: float) -> list[Verdict]:
    """Whether each store's memory stays, from the second quarter of the run to the last."""
    found = []
    for store in sorted({sample.store for sample in samples}):
        early, late = (quarter(samples, number, store, seconds) for number in (2, 4))
        if not early or not late:
            continue
        before, after = statistics.median(early), statistics.median(late)
        most = before * GROWTH_FACTOR + GROWTH_BYTES
        figures = (
            f"median {after / MIB:.0f} MiB in the last quarter, {before / MIB:.0f} MiB in the second; "
            f"at most {most / MIB:.0f} MiB"
        )
        found.append(Verdict(f"memory of store-{store} is flat", after <= most, figures))
    return found


def bounded(samples: Sequence[Sample], bounds: Bounds) -> list[Verdict]:
    """Whether no sample exceeds a bound."""
    claims: list[tuple[str, Callable[[Sample], int], int, str, int]] = [
        ("memory", lambda s: s.memory_bytes, bounds.memory_bytes, "MiB", MIB),
        ("disk", lambda s: s.disk_bytes, bounds.disk_bytes, "MiB", MIB),
        ("raft log", lambda s: s.log_entries or 0, bounds.log_entries, "entries", 1),
    ]
    found = []
    for name, value, most, unit, divisor in claims:
        worst = max(samples, key=value)
        figures = (
            f"at most {value(worst) / divisor:.0f} {unit} (store-{worst.store}, after "
            f"{worst.at:.0f} s); the bound is {most / divisor:.0f}"
        )
        found.append(Verdict(f"{name} is bounded", value(worst) <= most, figures))
    return found
