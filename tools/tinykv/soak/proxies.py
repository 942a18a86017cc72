"""A proxy between any two hosts of a soak. Needs nothing, and is less of a network.

What is cut is held back, and arrives when the cut ends, as bytes that are sent again would. New
connections are held back as well, but for whoever makes them they are there at once.
"""
from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Iterable

from ..address import Address
from ..console import Failure
from .network import CLIENT, Network

HOST = "127.0.0.1"

# Below those that the system gives to clients: none of these can take a port while its store is down.
PORTS = range(10_000, 32_000)

READ_BYTES = 1 << 16


def free_port(taken: set[int]) -> int:
    """A port that nobody listens on, a moment ago."""
    for port in random.sample(PORTS, 1000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            if port not in taken:
                taken.add(port)
                return port
    raise Failure(f"no port from {PORTS.start} to {PORTS.stop} on {HOST} is free")


class Proxies(Network):
    """All stores on the loopback address. A thread forwards what hosts send to each other.

    A store may send a client to the address at which it reaches the leader itself; that client's
    calls then are cut as those of the store.
    """

    name = "proxy"

    def __init__(self, stores: Iterable[int]) -> None:
        self._stores = list(stores)
        taken: set[int] = set()

        def place() -> Address:
            return Address(HOST, free_port(taken))

        self._listen = {store: place() for store in self._stores}
        self._status = {store: place() for store in self._stores}
        self._gates = {
            (host, store): place()
            for host in [CLIENT, *self._stores]
            for store in self._stores
            if host != store
        }
        self._cuts: set[tuple[int, int]] = set()  # sender and receiver
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()  # of the loop, as all that follows
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open())

    def _do(self, work) -> None:
        """Has the thread do something, and waits."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        for (host, store), place in self._gates.items():

            async def accepted(reader, writer, host=host, store=store) -> None:
                task = asyncio.current_task()
                assert task is not None
                self._connections.add(task)
                try:
                    await self._serve(host, store, reader, writer)
                except asyncio.CancelledError:
                    pass  # by _shut(); asyncio would report it as an error
                finally:
                    self._connections.discard(task)
                    writer.close()

            self._servers.append(await asyncio.start_server(accepted, place.host, place.port))

    async def _serve(self, host: int, store: int, reader, writer) -> None:
        """One connection that a host makes to a store."""
        await self._passable(host, store)
        await self._passable(store, host)
        target = self._listen[store]
        try:
            from_store, to_store = await asyncio.open_connection(target.host, target.port)
        except OSError:
            return  # the store is down: hang up
        pumps = [
            asyncio.ensure_future(self._pump(reader, to_store, host, store)),
            asyncio.ensure_future(self._pump(from_store, writer, store, host)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_store.close()

    async def _pump(self, reader, writer, sender: int, receiver: int) -> None:
        """Forwards one direction until it ends."""
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_BYTES):
                await self._passable(sender, receiver)
                writer.write(data)
                await writer.drain()
        await self._passable(sender, receiver)  # that it ends is news as well

    async def _passable(self, sender: int, receiver: int) -> None:
        while (sender, receiver) in self._cuts:
            await self._changed.wait()

    async def _set_cuts(self, cuts: set[tuple[int, int]]) -> None:
        self._cuts = cuts
        self._changed.set()  # whoever waits looks again
        self._changed = asyncio.Event()

    def listen(self, store: int) -> Address:
        return self._listen[store]

    def status(self, store: int) -> Address:
        return self._status[store]

    def seen_from(self, host: int, store: int) -> Address:
        return self._gates.get((host, store), self._listen[store])

    def isolate(self, store: int) -> None:
        others = [host for host in [CLIENT, *self._stores] if host != store]
        here = {(store, other) for other in others} | {(other, store) for other in others}
        self._do(self._set_cuts(self._cuts | here))

    def cut(self, sender: int, receiver: int) -> None:
        self._do(self._set_cuts(self._cuts | {(sender, receiver)}))

    def heal(self) -> None:
        self._do(self._set_cuts(set()))

    def close(self) -> None:
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _shut(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
