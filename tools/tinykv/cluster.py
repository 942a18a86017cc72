"""./tinykv up, status and down."""
from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from . import address as addresses
from . import build, plans, server, state
from .address import Address
from .console import GREEN, RED, Failure, Step, colour, duration, say, warn
from .plans import Wishes
from .server import Plan
from .state import Cluster, Member
from .workspace import Workspace, shown

# Where tinykv-ctl looks unless told.
CLIENT_ADDRESS = "127.0.0.1:20160"


def up(workspace: Workspace, wishes: Wishes, program: Path | None = None) -> int:
    """Builds the server of a stage and starts it; returns when it serves.

    `program` stands in for the server that would be built.
    """
    plans.check(wishes)
    with state.lock(workspace):
        if cluster := state.load(workspace):
            if any(member.alive() for member in cluster.members):
                return already_up(cluster, wishes)
            warn(f"the server of stage {cluster.stage} had died; starting anew")
            state.remove(workspace)
        program = program or built(workspace, wishes.stage)
        plan = plans.plan(workspace, program, wishes)
        member = start(workspace, wishes.stage, plan)
    say(f"stage {wishes.stage} is up")
    describe(member)
    suggest(workspace, member)
    return 0


def built(workspace: Workspace, stage: int) -> Path:
    """Builds a stage's server and the client; the server's path."""
    name = plans.SERVERS[stage]
    build.build(workspace, "release", [name, "tinykv-ctl"])
    return workspace.program("release", name)


def start(workspace: Workspace, stage: int, plan: Plan) -> Member:
    """Starts a server and waits until it serves; leaves nothing behind where it does not."""
    log_begin = server.prepare_log(plan.log)
    child = server.spawn(plan)
    try:
        newborn = server.newborn(plan, child)
        state.save(workspace, Cluster(stage, [newborn]))
        with Step(f"starting {plan.name}") as step:
            answer = server.wait_until_serving(plan, child, log_begin)
            step.result("serves")
        member = dataclasses.replace(newborn, address=answer["address"], data=answer["data"])
        state.save(workspace, Cluster(stage, [member]))
        return member
    except BaseException:
        server.abandon(child)
        state.remove(workspace)
        raise


def already_up(cluster: Cluster, wishes: Wishes) -> int:
    """A second `up`: says what runs, unless it is not what was asked for."""
    if cluster.stage != wishes.stage:
        raise Failure(
            f"stage {cluster.stage} is up, not stage {wishes.stage}; first: ./tinykv down"
        )
    member = cluster.members[0]
    if member.address == "":
        raise Failure(
            f"an earlier up was cut off and left {member.name} (pid {member.pid}) behind; "
            "first: ./tinykv down"
        )
    asked = {
        "--data": (wishes.data, member.data),
        "--listen": (wishes.listen, member.address),
        "--status-listen": (wishes.status_listen, member.status_address),
    }
    for flag, (wanted, running) in asked.items():
        if wanted is not None and str(wanted) != running:
            raise Failure(
                f"stage {cluster.stage} is up with {flag} {running}, not {wanted}; "
                "first: ./tinykv down"
            )
    say(f"stage {cluster.stage} is up already, as it was built when it was started;")
    say("after a change of the code: ./tinykv down, then ./tinykv up")
    describe(member)
    return 0


def describe(member: Member) -> None:
    """Where a server is and where it keeps its things."""
    status_page = addresses.parse(member.status_address, "status address").reachable
    say(f"  address      {member.address}")
    say(f"  data         {shown(Path(member.data))}")
    say(f"  log          {shown(Path(member.log))}")
    say(f"  status page  http://{status_page}/")


def suggest(workspace: Workspace, member: Member) -> None:
    """Three commands to try, ready to paste."""
    where: Address = addresses.parse(member.address, "address").reachable
    client = shown(workspace.program("release", "tinykv-ctl"))
    if str(where) != CLIENT_ADDRESS or "TINYKV_ADDRESS" in os.environ:
        client += f" --address {where}"
    say("try")
    say(f"  {client} raw put hello world")
    say(f"  {client} raw get hello")
    say(f"  {client} raw scan")
    say("stop it with ./tinykv down")


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
    else:
        for member, found, report in checks:
            tell(cluster.stage, member, found, report)
    return 0 if verdict == "serving" else 1


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
    """What `status --json` says of a server; `born` is nobody's business."""
    fields = dataclasses.asdict(member)
    del fields["born"]
    return fields


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
