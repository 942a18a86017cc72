"""Who leads a cluster, from what its stores say at /status."""
from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence

from . import server
from .console import Failure
from .server import Plan
from .state import Member

# A bound, not a wait: an election takes a second or two.
ELECTION_SECONDS_MAX = 60.0


def regions(report: dict | None) -> list[dict]:
    """The regions that a store tells of."""
    found = (report or {}).get("regions", [])
    return [region for region in found if isinstance(region, dict)]


def leader(reports: Iterable[dict | None]) -> int:
    """The store that leads, by its own word; 0 where there is none.

    A store that was cut off may take itself for the leader for a while, in an older term.
    """
    claims = [
        (region.get("term", 0), region.get("leader_store", 0))
        for report in reports
        for region in regions(report)
        if region.get("role") == "leader"
    ]
    return max(claims, default=(0, 0))[1]


def role(report: dict | None) -> str:
    """What a store is in its region: leader, follower or candidate; empty where it does not say."""
    return next((str(region.get("role", "")) for region in regions(report)), "")


def agreed(reports: Sequence[dict | None]) -> int:
    """The store that all say leads; 0 where they do not agree yet."""
    found = leader(reports)
    said = [region.get("leader_store") for report in reports for region in regions(report)]
    return found if found and said == [found] * len(reports) else 0


def wait_for(
    members: Sequence[Member], started: Sequence[tuple[Plan, subprocess.Popen, int]]
) -> int:
    """Asks all stores until they agree on who leads. `started` are those that are watched."""
    deadline = time.monotonic() + ELECTION_SECONDS_MAX
    while True:
        for plan, child, log_begin in started:
            if child.poll() is not None:
                raise server.ended(plan, child, log_begin)
        reports = [server.ask_member(member) for member in members]
        if found := agreed(reports):
            return found
        if time.monotonic() > deadline:
            said = ", ".join(f"{m.name}: {role(r) or 'silent'}" for m, r in zip(members, reports))
            raise Failure(f"no leader was elected within {ELECTION_SECONDS_MAX:.0f} s ({said})")
        time.sleep(server.POLL_SECONDS)
