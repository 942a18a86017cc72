"""A small disk of one store's own, which can be filled."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..console import Failure

SIZE_BYTES = 512 << 20

# Of every store in a soak; see raft.disk_reserve in docs/example-config.toml.
RESERVE_BYTES = 128 << 20

# Below half of the reserve a store takes no entries from its leader either. What is left then is for
# flushes and compactions, which go on.
FREE_BYTES_WHEN_FULL = RESERVE_BYTES * 3 // 8


def mounting_allowed() -> bool:
    """Whether we may mount a disk."""
    return os.geteuid() == 0


class SmallDisk:
    """A file system in memory, mounted at `folder`, and the store whose data is on it."""

    def __init__(self, folder: Path, store: int) -> None:
        self.folder = folder
        self.store = store
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=700", "tinykv-soak", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"cannot mount a small disk at {folder}: {done.stderr.strip()}")

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def free_bytes(self) -> int:
        """What a store may still write."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Takes so much that the store refuses writes, and takes none from its leader either."""
        wanted = self.free_bytes() - FREE_BYTES_WHEN_FULL
        if wanted <= 0:
            return
        with open(self._filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, wanted)

    def clear(self) -> None:
        """Gives it back."""
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmounts it; what is on it is gone."""
        unmount(self.folder)


def unmount(folder: Path) -> None:
    """Takes a disk away that may be mounted there."""
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", folder], capture_output=True, check=False)
