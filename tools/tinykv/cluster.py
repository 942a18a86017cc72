"""./tinykv up, status and down."""
from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import address as addresses
from . import build, leader, plans, server, state
from .console import GREEN, RED, Failure, Step, UsageError, colour, duration, say, warn
from .plans import Wishes
from .server import Plan
from .state import Cluster, Member
from .workspace import Workspace, shown

# Of each store that has died, at `status`.
STORE_LOG_LINES = 5


def up(workspace: Workspace, wishes: Wishes, program: Path | None = None) -> int:
    """Builds the server of a stage and starts it; returns when it serves.

    `program` stands in for the server that would be built.
    """
    plans.check(wishes)
    with state.lock(workspace):
        cluster = state.load(workspace)
        if cluster and any(member.alive() for member in cluster.members):
            check_same(cluster, wishes)
            if all(member.alive() for member in cluster.members):
                return already_up(cluster)
            cluster = revive(workspace, cluster, program or built(workspace, wishes.stage))
        else:
            if cluster:
                warn(f"the server of stage {cluster.stage} had died; starting anew")
                state.remove(workspace)
            program = program or built(workspace, wishes.stage)
            cluster = start(
                workspace, Cluster(wishes.stage, []), plans.all_plans(workspace, program, wishes)
            )
    say(f"stage {wishes.stage} is up")
    describe_all(cluster)
    suggest(workspace, cluster)
    return 0


def stage_meant(workspace: Workspace) -> int:
    """Which stage an `up` is about that names none."""
    cluster = state.load(workspace)
    if cluster and any(member.alive() for member in cluster.members):
        return cluster.stage
    return plans.newest(workspace)


def built(workspace: Workspace, stage: int) -> Path:
    """Builds a stage's server and the client; the server's path."""
    if not (workspace.root / plans.SOURCES[stage]).is_file():
        raise UsageError(f"--stage {stage}: this tree has no server of that stage yet")
    name = plans.SERVERS[stage]
    build.build(workspace, "release", [name, "tinykv-ctl"])
    return workspace.program("release", name)


def start(workspace: Workspace, running: Cluster, wanted: Sequence[Plan]) -> Cluster:
    """Starts servers beside those that run, and waits until they serve and one of them leads.

    Leaves nothing behind where that fails.
    """
    members = list(running.members)
    started: list[tuple[Plan, subprocess.Popen, int]] = []
    try:
        for plan in wanted:
            log_begin = server.prepare_log(plan.log)
            started.append((plan, server.spawn(plan), log_begin))
            members.append(server.newborn(plan, started[-1][1]))
            state.save(workspace, Cluster(running.stage, members))
        for plan, child, log_begin in started:
            with Step(f"starting {plan.name}") as step:
                answer = server.wait_until_serving(plan, child, log_begin)
                step.result("serves")
            place = next(i for i, member in enumerate(members) if member.pid == child.pid)
            members[place] = dataclasses.replace(
                members[place], address=answer["address"], data=answer["data"]
            )
        members.sort(key=lambda member: member.name)
        state.save(workspace, Cluster(running.stage, members))
        if running.stage >= 2:
            with Step("electing a leader") as step:
                step.result(f"store-{leader.wait_for(members, started)} leads")
        return Cluster(running.stage, members)
    except BaseException:
        server.abandon([child for _, child, _ in started])
        if running.members:
            state.save(workspace, running)
        else:
            state.remove(workspace)
        for plan, _, _ in started:
            if plan.new_data is not None:
                shutil.rmtree(plan.new_data, ignore_errors=True)
        raise


def revive(workspace: Workspace, cluster: Cluster, program: Path) -> Cluster:
    """Starts the stores again that have died while others run; their data is what they left."""
    running = [member for member in cluster.members if member.alive()]
    dead = [member for member in cluster.members if not member.alive()]
    for member in dead:
        warn(f"{member.name} (pid {member.pid}) had died; starting it again")
    plan_list = [plans.revival(program, member) for member in dead]
    try:
        return start(workspace, Cluster(cluster.stage, running), plan_list)
    except BaseException:
        state.save(workspace, cluster)  # the dead are still missing
        raise


def check_same(cluster: Cluster, wishes: Wishes) -> None:
    """Refuses a second `up` that asks for something else than what runs."""
    if cluster.stage != wishes.stage:
        raise Failure(
            f"stage {cluster.stage} is up, not stage {wishes.stage}; first: ./tinykv down"
        )
    for member in cluster.members:
        if member.address == "":
            raise Failure(
                f"an earlier up was cut off and left {member.name} (pid {member.pid}) behind; "
                "first: ./tinykv down"
            )
    first = cluster.members[0]
    data = str(Path(first.data).parent) if cluster.stage >= 2 else first.data
    asked = {
        "--data": (wishes.data, data),
        "--stores": (wishes.stores, str(len(cluster.members))),
        "--listen": (wishes.listen, first.address),
        "--status-listen": (wishes.status_listen, first.status_address),
    }
    for flag, (wanted, running) in asked.items():
        if wanted is not None and str(wanted) != running:
            raise Failure(
                f"stage {cluster.stage} is up with {flag} {running}, not {wanted}; "
                "first: ./tinykv down"
            )


def already_up(cluster: Cluster) -> int:
    """A second `up`: says what runs."""
    say(f"stage {cluster.stage} is up already, as it was built when it was started;")
    say("after a change of the code: ./tinykv down, then ./tinykv up")
    describe_all(cluster)
    return 0


def describe_all(cluster: Cluster) -> None:
    """Where the servers are and where they keep their things."""
    if cluster.stage < 2:
        describe(cluster.members[0])
        return
    for member in cluster.members:
        tell_store(member, *condition(member))
    describe_folders(cluster)


def describe_folders(cluster: Cluster) -> None:
    """Where the stores of a cluster keep their things."""
    first = cluster.members[0]
    say(f"  data     {shown(Path(first.data).parent)}/store-*")
    say(f"  logs     {shown(Path(first.log).parent)}/store-*.log")


def describe(member: Member) -> None:
    """Where a server is and where it keeps its things."""
    status_page = addresses.parse(member.status_address, "status address").reachable
    say(f"  address      {member.address}")
    say(f"  data         {shown(Path(member.data))}")
    say(f"  log          {shown(Path(member.log))}")
    say(f"  status page  http://{status_page}/")


def suggest(workspace: Workspace, cluster: Cluster) -> None:
    """Three commands to try, ready to paste."""
    client = shown(workspace.program("release", "tinykv-ctl"))
    if not client_finds(workspace):
        reachable = [addresses.parse(m.address, "address").reachable for m in cluster.members]
        client += f" --address {','.join(str(where) for where in reachable)}"
    say("try")
    say(f"  {client} raw put hello world")
    say(f"  {client} raw get hello")
    say(f"  {client} {'cluster' if cluster.stage >= 2 else 'raw scan'}")
    say("stop it with ./tinykv down")


def client_finds(workspace: Workspace) -> bool:
    """Whether tinykv-ctl, started here, talks to what this checkout has up without being told."""
    if "TINYKV_ADDRESS" in os.environ:
        return False
    place = Path.cwd()
    files = [folder / ".tinykv" / "cluster.json" for folder in (place, *place.parents)]
    return next((file for file in files if file.is_file()), None) == state.path(workspace)


def status(workspace: Workspace, as_json: bool) -> int:
    """Says what runs; exits 0 only if it serves."""
    cluster = state.load(workspace)
    if cluster is None:
        if as_json:
            say(json.dumps({"state": "stopped", "stage": None, "servers": []}))
        else:
            say("nothing is up; start a server with ./tinykv up")
        return 1
    checks = [(member, *condition(member)) for member in cluster.members]
    verdict = worst([found for _, found, _ in checks])
    if as_json:
        servers = [
            {**public(member), "state": found, "report": report} for member, found, report in checks
        ]
        say(json.dumps({"state": verdict, "stage": cluster.stage, "servers": servers}, indent=2))
    elif cluster.stage < 2:
        tell(cluster.stage, *checks[0])
    else:
        tell_cluster(cluster, checks, verdict)
    return 0 if verdict == "serving" and has_leader(cluster, checks) else 1


def has_leader(cluster: Cluster, checks: Sequence[tuple[Member, str, dict | None]]) -> bool:
    """Whether somebody leads, where somebody must."""
    return cluster.stage < 2 or leader.leader(report for _, _, report in checks) != 0


def condition(member: Member) -> tuple[str, dict | None]:
    """serving, starting, silent or crashed, as `status -h` explains; and its answer to /status."""
    report = server.ask_member(member)
    if not member.alive():
        return "crashed", None
    if member.address == "":
        return "starting", report  # an `up` that still runs has not heard of it yet
    return ("serving" if report and report.get("serving") else "silent"), report


def worst(states: list[str]) -> str:
    """The state of a cluster is that of its sickest member."""
    return next(state for state in ("crashed", "silent", "starting", "serving") if state in states)


def public(member: Member) -> dict:
    """What `status --json` says of a server; `born` and `flags` are nobody's business."""
    fields = dataclasses.asdict(member)
    del fields["born"], fields["flags"]
    return fields


def tell_cluster(
    cluster: Cluster, checks: Sequence[tuple[Member, str, dict | None]], verdict: str
) -> None:
    """How a cluster does, for a person. The death of a few stores need not be that of all."""
    leads = leader.leader(report for _, _, report in checks)
    if verdict == "serving" and leads:
        say(f"stage {cluster.stage} is {colour('serving', GREEN)}, store-{leads} leads")
    elif leads:
        trouble = colour("with stores missing", RED)
        say(f"stage {cluster.stage} is serving {trouble}, store-{leads} leads")
    else:
        say(f"stage {cluster.stage} {colour('has no leader', RED)} and serves nobody")
    for member, found, report in checks:
        tell_store(member, found, report)
    if cluster.members[0].data:
        describe_folders(cluster)
    if verdict == "crashed":
        say("start what has died again with ./tinykv up; its data is kept")


def tell_store(member: Member, found: str, report: dict | None) -> None:
    """A line about a store."""
    if found == "serving":
        status_page = addresses.parse(member.status_address, "status address").reachable
        say(
            f"  {member.name}  {member.address}  {leader.role(report) or 'silent':<9} "
            f"http://{status_page}/  pid {member.pid}"
        )
        return
    state_text = {"crashed": "has died", "silent": "runs and does not answer"}.get(found, found)
    say(f"  {member.name}  {colour(state_text, RED)}, pid {member.pid}; log: {shown(Path(member.log))}")
    if found == "crashed":
        for line in server.tail(Path(member.log)).splitlines()[-STORE_LOG_LINES:]:
            say(f"    {line}")


def tell(stage: int, member: Member, found: str, report: dict | None) -> None:
    """One server's state, for a person."""
    if found == "crashed":
        say(f"stage {stage}: {member.name} (pid {member.pid}) {colour('has died', RED)}")
        say(f"the end of its log, {shown(Path(member.log))}:")
        for line in server.tail(Path(member.log)).splitlines():
            say(f"  {line}")
        say("start it again with ./tinykv up; its data is kept")
        return
    if found == "starting":
        say(f"stage {stage}: {member.name} (pid {member.pid}) is starting")
        return
    if found == "silent":
        trouble = colour("does not answer", RED)
        say(f"stage {stage}: {member.name} (pid {member.pid}) runs and {trouble}")
    else:
        seconds = float((report or {}).get("uptime_seconds", 0))
        age = f", for {duration(seconds)}" if seconds else ""
        say(f"stage {stage} is {colour('serving', GREEN)} (pid {member.pid}{age})")
    describe(member)


def down(workspace: Workspace) -> int:
    """Stops what runs; nothing to do is fine."""
    with state.lock(workspace):
        cluster = state.load(workspace)
        if cluster is None:
            say("nothing is up")
            return 0
        for member in reversed(cluster.members):
            if not member.alive():
                log = shown(Path(member.log))
                warn(f"{member.name} (pid {member.pid}) had died; its log: {log}")
                continue
            with Step(f"stopping {member.name}") as step:
                server.stop(member)
                step.result("stopped")
        state.remove(workspace)
    return 0
