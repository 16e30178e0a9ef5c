"""How do frames reach the sockets of one process?

One Redis subscription a process; frames arrive as ready text and go into a bounded
queue per socket. A socket whose queue is full is closed, so that one slow reader
costs nobody else anything. Redis is at-most-once, so the database is asked too:
each second while Redis is away, every other second while it is there, and at once
when a number is missing. Recovery needs nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from uuid import UUID

import redis.asyncio
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils.dateparse import parse_datetime
from redis.exceptions import RedisError

from alertcenter.dashboard import frames, telemetry
from alertcenter.dashboard.frames import Frame
from alertcenter.dashboard.relay import CHANNEL
from alertcenter.dashboard.threads import in_thread

log = logging.getLogger(__name__)

MOST_WAITING = 64
POLL_SECONDS = 1.0
POLL_SECONDS_WITH_REDIS = 2.0
RETRY_SECONDS = 1.0


@dataclass(eq=False)
class Socket:
    """One screen's queue; `None` in it means: close, you are too slow."""

    tenant_id: UUID
    queue: asyncio.Queue[Frame | None] = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING)
    )
    slow: bool = False

    def offer(self, frame: Frame) -> None:
        """Take the frame, or give the socket up when it cannot keep pace."""
        if self.slow:
            return
        try:
            self.queue.put_nowait(frame)
        except asyncio.QueueFull:
            self.slow = True
            self.queue.get_nowait()
            self.queue.put_nowait(None)


class Hub:
    """The sockets of this process, by tenant."""

    def __init__(self) -> None:
        self.rooms: dict[UUID, set[Socket]] = {}
        self.seen: dict[UUID, int] = {}
        self.listening = False
        self._tasks: list[asyncio.Task[None]] = []
        self._poll_now = asyncio.Event()

    # --- sockets come and go ---

    def join(self, tenant_id: UUID) -> Socket:
        """Begin to queue frames for a new screen."""
        socket = Socket(tenant_id)
        self.rooms.setdefault(tenant_id, set()).add(socket)
        telemetry.sockets.inc()
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._listen()),
                asyncio.create_task(self._poll()),
            ]
        return socket

    def leave(self, socket: Socket) -> None:
        """Forget a screen; the last one of a tenant ends the looking for it."""
        room = self.rooms.get(socket.tenant_id, set())
        if socket not in room:
            return
        room.discard(socket)
        telemetry.sockets.dec()
        if not room:
            del self.rooms[socket.tenant_id]
            self.seen.pop(socket.tenant_id, None)

    def knows(self, tenant_id: UUID, seq: int) -> None:
        """Note that somebody read the tenant's stream up to `seq`."""
        if tenant_id in self.rooms:
            self.seen.setdefault(tenant_id, seq)

    async def stop(self) -> None:
        """End the background tasks (tests)."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    # --- frames come in ---

    def offer(self, tenant_id: UUID, frame: Frame) -> None:
        """Hand on a frame that follows; drop a known one; ask for missing ones."""
        seen = self.seen.get(tenant_id)
        if tenant_id not in self.rooms or (seen is not None and frame.last <= seen):
            return
        if seen is not None and frame.first > seen + 1:
            self._poll_now.set()
            return
        self.seen[tenant_id] = frame.last
        for socket in tuple(self.rooms[tenant_id]):
            socket.offer(frame)

    async def _listen(self) -> None:
        while True:
            try:
                await self._subscription()
            except (RedisError, OSError) as error:
                log.warning("live.redis_away", extra={"error": str(error)})
            self.listening = False
            self._poll_now.set()
            await asyncio.sleep(RETRY_SECONDS)

    async def _subscription(self) -> None:
        """Take frames from Redis until it fails.

        `get_message` wakes each second, which also finds a connection that died
        in silence (health_check_interval).
        """
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=1,
            socket_timeout=None,
            health_check_interval=5,
        )
        async with client, client.pubsub(ignore_subscribe_messages=False) as channel:
            await channel.psubscribe(CHANNEL + "*")
            while True:
                message = await channel.get_message(timeout=1.0)
                if message is None:
                    continue
                if message["type"] == "psubscribe":
                    self.listening = True
                    self._poll_now.set()  # what passed before we listened
                elif message["type"] == "pmessage":
                    self._receive(message["channel"], message["data"])

    def _receive(self, channel: bytes, data: bytes) -> None:
        try:
            tenant_id = UUID(hex=channel.decode().removeprefix(CHANNEL))
            if tenant_id in self.rooms:
                frame = frames.parsed(data.decode())
                self.offer(tenant_id, frame)
                measure_lag(frame)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("live.bad_frame", extra={"error": str(error)})

    async def _poll(self) -> None:
        """Read stored frames; the safety net under Redis."""
        while True:
            wait = POLL_SECONDS_WITH_REDIS if self.listening else POLL_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), wait)
            self._poll_now.clear()
            try:
                await self._read_stored()
            except DatabaseError as error:
                log.warning("live.database_away", extra={"error": str(error)})
                await asyncio.sleep(POLL_SECONDS)

    async def _read_stored(self) -> None:
        wanted = {t: seq for t, seq in self.seen.items() if t in self.rooms}
        if not wanted:
            return
        begun = time.monotonic()
        for tenant_id, found in (await in_thread(frames.stored, wanted)).items():
            self._fill(tenant_id, found)
        telemetry.poll_seconds.observe(time.monotonic() - begun)

    def _fill(self, tenant_id: UUID, found: list[Frame]) -> None:
        """Offer stored frames; where some were pruned, the sockets start anew."""
        if found and found[0].first > self.seen.get(tenant_id, 0) + 1:
            self.seen[tenant_id] = found[0].first - 1
        for frame in found:
            self.offer(tenant_id, frame)


def measure_lag(frame: Frame) -> None:
    """Note how long a frame took from the relay to the sockets' queues."""
    made = parse_datetime(frame.at)
    if made is not None:
        telemetry.lag_seconds.observe(max(0.0, time.time() - made.timestamp()))


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """Return the hub of the running event loop: one a process."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs.clear()
        _hubs[loop] = Hub()
    return _hubs[loop]
