"""./tinykv soak: three stores under load and under faults, with every answer checked."""
from __future__ import annotations

from .. import build, plans
from ..console import UsageError
from ..workspace import Workspace
from . import run as soak_run
from .faults import FAULTS
from .load import PROGRAM
from .namespaces import Namespaces
from .proxies import Proxies
from .run import STAGE, Outcome, Wishes

RATE_DEFAULT = Wishes().rate
FAULT_NAMES = [fault.name for fault in FAULTS]
NETWORKS = [Namespaces.name, Proxies.name]

FAULT_LINES = "\n".join(f"  {fault.name:<17} {fault.what}" for fault in FAULTS)
HELP = f"""\
Starts three stores on this machine, and a load that checks each answer: a key has one
writer, whose writes are numbered, so a read must see the last one that was acknowledged, or
a later one. Meanwhile one thing after the other is broken and mended:

{FAULT_LINES}

Each fault lasts until it is felt, and ends with a whole cluster whose keys are all read.
Without --minutes each comes once; with it they go on, in an order that follows from the seed.
docs/development.md says what must hold at the end. As root, each store gets a network namespace
of its own. Exits 0 only if all of that holds.
"""


def command(workspace: Workspace, wishes: Wishes) -> int:
    """The command."""
    if not (workspace.root / plans.SOURCES[STAGE]).is_file():
        raise UsageError("soak: this tree has no server of stage 2 yet, which it needs")
    outcome = built_and_run(workspace, wishes)
    soak_run.tell(outcome)
    if wishes.json:
        soak_run.write_json(outcome, wishes.json)
    return 0 if outcome.passed else 1


def once(workspace: Workspace) -> Outcome:
    """Each fault once, for ./tinykv test; with little load, since other tests may run beside it."""
    return built_and_run(workspace, Wishes(rate=300))


def built_and_run(workspace: Workspace, wishes: Wishes) -> Outcome:
    """A run of what is built first."""
    build.build(workspace, "release", [PROGRAM, plans.SERVERS[STAGE]])
    return soak_run.run(workspace, wishes, workspace.program("release", PROGRAM).parent)
