"""The faults: each breaks something, sees that the others go on, and mends it.

Each function begins and ends with a whole cluster, and returns what it did it to, for people.
"""
from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .arena import FELT_SECONDS_MAX, WHOLE_SECONDS_MAX, Arena
from .stores import region


@dataclass(frozen=True)
class Fault:
    """One of them, by its name on the command line."""

    name: str
    what: str
    run: Callable[[Arena], str]
    calls_may_fail: bool = True  # after their deadline, that is


def kill_leader(arena: Arena) -> str:
    """kill -9; the others elect."""
    leads = arena.leader()
    arena.stores[leads].kill()
    follows = serve_without(arena, leads)
    arena.start(leads)
    return f"store-{leads}, store-{follows} took over"


def kill_follower(arena: Arena) -> str:
    """kill -9 of one that does not lead."""
    victim = arena.random.choice(arena.followers())
    arena.stores[victim].kill()
    serve_without(arena, victim)
    arena.start(victim)
    return f"store-{victim}"


def kill_all(arena: Arena) -> str:
    """kill -9 of all at once."""
    arena.wait_whole()
    for store in arena.stores.values():
        store.kill()
    for number in arena.stores:
        arena.start(number)
    return "all three"


def pause_leader(arena: Arena) -> str:
    """SIGSTOP: it knows nothing of the time that passes, and then takes itself for the leader."""
    leads = arena.leader()
    arena.stores[leads].signal(signal.SIGSTOP)
    follows = serve_without(arena, leads)
    arena.stores[leads].signal(signal.SIGCONT)
    return f"store-{leads}, store-{follows} took over"


def pause_followers(arena: Arena) -> str:
    """SIGSTOP of each in turn."""
    victims = arena.followers()
    for victim in victims:
        arena.wait_whole()
        arena.stores[victim].signal(signal.SIGSTOP)
        serve_without(arena, victim)
        arena.stores[victim].signal(signal.SIGCONT)
    return " and ".join(f"store-{victim}" for victim in victims)


def isolate_leader(arena: Arena) -> str:
    """Cut off from the others and from clients."""
    leads = arena.leader()
    arena.network.isolate(leads)
    follows = serve_without(arena, leads)
    arena.network.heal()
    return f"store-{leads}, store-{follows} took over"


def isolate_follower(arena: Arena) -> str:
    """The same of one that does not lead."""
    victim = arena.random.choice(arena.followers())
    arena.network.isolate(victim)
    serve_without(arena, victim)
    arena.network.heal()
    return f"store-{victim}"


def cut_one_way(arena: Arena) -> str:
    """The leader is not heard by a follower, or the other way round."""
    leads = arena.leader()
    other = arena.random.choice(arena.others(leads))
    sender, receiver = arena.random.choice([(leads, other), (other, leads)])
    arena.network.cut(sender, receiver)
    serve(arena)
    arena.network.heal()
    return f"what store-{sender} sends to store-{receiver}"


def strand_leader(arena: Arena) -> str:
    """The leader is cut off from the other stores, and clients go on to reach it."""
    leads = arena.leader()
    for follower in arena.others(leads):
        cut_both_ways(arena, leads, follower)
    follows = serve_without(arena, leads)
    arena.network.heal()
    return f"store-{leads}, store-{follows} took over"


def cut_pair(arena: Arena) -> str:
    """The leader and a follower do not hear each other; the third store hears both."""
    leads = arena.leader()
    other = arena.random.choice(arena.others(leads))
    cut_both_ways(arena, leads, other)
    serve(arena)
    arena.network.heal()
    return f"store-{leads} and store-{other}"


def rolling_restart(arena: Arena) -> str:
    """Each is stopped in order and started again, as for a new version; no call may fail."""
    for number, store in arena.stores.items():
        arena.wait_whole()
        store.stop()
        serve_without(arena, number)
        arena.start(number)
    arena.wait_whole()
    return "all three, one after the other"


def lose_disk(arena: Arena) -> str:
    """A follower's data is gone; it is filled again by a snapshot."""
    leads = arena.leader()
    victim = arena.random.choice(arena.others(leads))

    def log_from_the_start() -> str:
        firsts = [region(report).get("first_index", 1) for report in arena.reports([leads])]
        return "the leader's log still begins with its first entry" if firsts == [1] else ""

    arena.wait_until(log_from_the_start, WHOLE_SECONDS_MAX)
    store = arena.stores[victim]
    store.kill()
    store.wipe()
    serve_without(arena, victim)
    arena.start(victim, rejoin="true")
    arena.wait_whole()
    return f"store-{victim}"


def fill_disk(arena: Arena) -> str:
    """A disk fills, whether its store leads or not; the store takes no more, and goes on later."""
    disk = arena.small_disk
    assert disk is not None
    role = "the leader" if arena.leader() == disk.store else "a follower"

    def refuses(wanted: bool) -> str:
        [report] = arena.reports([disk.store])
        found = bool((report or {}).get("store", {}).get("refuses_writes"))
        return "" if found == wanted else f"store-{disk.store} should{'' if wanted else ' not'} refuse writes"

    def turned_away() -> str:
        busy = arena.load.counts()["failed_attempts"].get("server is busy", 0)
        return "" if busy else f"store-{disk.store} leads, and should have turned a write away"

    disk.fill()
    try:
        arena.wait_until(lambda: refuses(True), FELT_SECONDS_MAX)
        if role == "a follower":
            serve_without(arena, disk.store)
        else:
            arena.wait_until(turned_away, FELT_SECONDS_MAX)
    finally:
        disk.clear()
    arena.wait_until(lambda: refuses(False), FELT_SECONDS_MAX)
    return f"store-{disk.store}, {role}"


def serve_without(arena: Arena, lost: int) -> int:
    """Sees that the others serve without a store, and who leads them."""
    found = arena.wait_leader_without(lost)
    serve(arena)
    return found


def serve(arena: Arena) -> None:
    """Sees that writes are served, now and for a while."""
    arena.wait_writes()
    arena.hold()
    arena.wait_writes()


def cut_both_ways(arena: Arena, one: int, other: int) -> None:
    """Neither hears the other; the third store hears both."""
    arena.network.cut(one, other)
    arena.network.cut(other, one)


FAULTS = [
    Fault("kill-leader", "kill -9 of the leader", kill_leader),
    Fault("kill-follower", "kill -9 of a follower", kill_follower),
    Fault("kill-all", "kill -9 of all stores", kill_all),
    Fault("pause-leader", "SIGSTOP of the leader", pause_leader),
    Fault("pause-followers", "SIGSTOP of each follower", pause_followers),
    Fault("isolate-leader", "the leader's network is cut", isolate_leader),
    Fault("isolate-follower", "a follower's network is cut", isolate_follower),
    Fault("strand-leader", "the leader is cut off from the others, not from clients", strand_leader),
    Fault("cut-one-way", "one direction between leader and follower is cut", cut_one_way),
    Fault("cut-pair", "leader and follower are cut from each other", cut_pair),
    Fault("rolling-restart", "SIGTERM and restart, store after store", rolling_restart, calls_may_fail=False),
    Fault("lose-disk", "a follower's data is removed, and it rejoins", lose_disk),
    Fault("fill-disk", "the disk of a store is nearly full", fill_disk),
]


def drawn(faults: list[Fault], source: random.Random) -> Iterator[Fault]:
    """Faults for ever: all of them in some order, then in another, and so on."""
    while True:
        deck = list(faults)
        source.shuffle(deck)
        yield from deck
