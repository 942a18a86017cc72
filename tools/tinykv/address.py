"""HOST:PORT, as flags and configuration files write it."""
from __future__ import annotations

import re
from dataclasses import dataclass

from .console import UsageError

# A server that listens everywhere is reached here.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


@dataclass(frozen=True)
class Address:
    """Where a server listens. `host` keeps the brackets of an IPv6 address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def reachable(self) -> "Address":
        """The address to call this server at from the same machine."""
        return Address(EVERYWHERE.get(self.host, self.host), self.port)


def parse(text: str, name: str) -> Address:
    """Reads HOST:PORT; the error names `name`, the flag or key that it stands in."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})", text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise UsageError(
            f"{name} '{text}': want HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:20160"
        )
    return Address(match[1], int(match[2]))
