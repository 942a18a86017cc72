"""The network between the stores of a soak, which can be cut.

Every store is a host, numbered like it; whoever calls them from here is host 0.
"""
from __future__ import annotations

import abc

from ..address import Address

CLIENT = 0


class Network(abc.ABC):
    """Where each store is, and what is cut. Addresses do not change while it exists."""

    name = ""

    @abc.abstractmethod
    def listen(self, store: int) -> Address:
        """Where a store listens."""

    @abc.abstractmethod
    def status(self, store: int) -> Address:
        """Where its status page is."""

    @abc.abstractmethod
    def seen_from(self, host: int, store: int) -> Address:
        """Where a host reaches a store."""

    def prefix(self, _store: int) -> list[str]:
        """What the command of a store begins with."""
        return []

    @abc.abstractmethod
    def isolate(self, store: int) -> None:
        """Nobody hears the store, and it hears nobody; not even that it is alone."""

    @abc.abstractmethod
    def cut(self, sender: int, receiver: int) -> None:
        """What a store sends to another host does not arrive; the other way round it does."""

    @abc.abstractmethod
    def heal(self) -> None:
        """Ends all cuts."""

    @abc.abstractmethod
    def close(self) -> None:
        """Removes what it has made. All stores have ended."""
