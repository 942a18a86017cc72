"""./tinykv setup: installs what is missing, saying what; does nothing when all is there."""
from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable

from . import packages
from .console import Failure, Step, say
from .process import capture, follow

# Waits for another apt (an image's own first-boot update) instead of failing.
APT = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]


def run() -> int:
    """The command: everything that any command of the script needs."""
    wanted = {**packages.BUILD, **packages.LINT}
    if not missing(wanted):
        say(f"all {len(wanted)} packages are there; nothing to do")
        return 0
    ensure(wanted)
    return 0


def ensure(wanted: dict[str, str]) -> None:
    """Installs those of `wanted` that are missing; silent where none is."""
    absent = missing(wanted)
    if not absent:
        return
    say(f"missing packages ({len(absent)}):")
    for name in absent:
        say(f"  {name:<24} {wanted[name]}")
    install(absent)


def missing(wanted: Iterable[str]) -> list[str]:
    """Which packages are not installed, in the order given."""
    if shutil.which("dpkg-query") is None:
        names = " ".join(wanted)
        raise Failure(
            "no dpkg-query: this is made for Debian 12 and Ubuntu 24.04; elsewhere install what "
            f"these packages hold, and build with cmake --preset release: {names}"
        )
    # A package never heard of makes dpkg-query exit 1 and leaves the others' lines as they are.
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *wanted]
    answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def install(names: list[str]) -> None:
    """Installs packages with apt-get, as root or by sudo; a Failure says how to do it by hand."""
    by_hand = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(names)}"
    if shutil.which("apt-get") is None:
        raise Failure(f"no apt-get to install these packages with: {' '.join(names)}")
    prefix = root_prefix()
    if prefix is None:
        raise Failure(f"installing needs root; run: sudo sh -c '{by_hand}'")
    output: list[str] = []
    with Step("reading the package lists"):
        # Fails where one source of many is unreachable; the installation tells whether it matters.
        follow([*prefix, *APT, "update"], output.append)
    with Step(f"installing {len(names)} packages") as step:
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
        command = [*prefix, *quiet, *APT, "install", "-y", "--no-install-recommends", *names]

        def on_line(line: str) -> None:
            output.append(line)
            step.progress(line)

        if follow(command, on_line) != 0:
            raise Failure(f"apt-get failed; by hand: {by_hand}", "\n".join(output[-40:]))
    if absent := missing(names):
        raise Failure(f"apt-get said done, and dpkg-query still misses: {' '.join(absent)}")


def root_prefix() -> list[str] | None:
    """What makes a command run as root: nothing, sudo, or None where neither works."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and capture(["sudo", "-n", "true"])[0] == 0:
        return ["sudo", "-n"]
    return None
