"""What is said over one screen's websocket?

The server sends a snapshot or what was missed, then deltas and a beat each ten
seconds; the browser sends acts and asks again after a gap. Frames and close codes:
design/decisions.md section 9. No rule lives here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from alertcenter.dashboard import acts, doors, frames, telemetry
from alertcenter.dashboard.build import build_hash
from alertcenter.dashboard.frames import Frame
from alertcenter.dashboard.hub import Hub, Socket, hub
from alertcenter.dashboard.threads import in_thread
from tenants.access import Membership

log = logging.getLogger(__name__)

STRANGER, OUTSIDER, SLOW = 4401, 4003, 4008
TOO_BIG, AGAIN = 1009, 1013
LARGEST = 64 * 1024
MOST_DIGITS = 19  # of a bigint
BEAT_SECONDS = 10.0
BEATS_A_CHECK = 6


class LiveConsumer(AsyncWebsocketConsumer):
    """One open dashboard."""

    who: Membership
    socket: Socket
    hub: Hub
    seq: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: list[asyncio.Task[None]] = []
        self._joined = False

    async def connect(self) -> None:
        """Let members in. Before the acceptance, a close is an HTTP 403, alike
        for a tenant of other people and one that does not exist."""
        found = await self._standing() if doors.same_origin(self.scope) else None
        if found is None:
            await self.close(STRANGER)
            return
        self.who, self.hub = found, hub()
        await self.accept()
        # Joined before reading: what is committed meanwhile waits in the queue.
        self.socket = self.hub.join(self.who.tenant_id)
        self._joined = True
        if await self._send_since(self._since()):
            self._tasks = [
                asyncio.create_task(self._guarded(self._write())),
                asyncio.create_task(self._guarded(self._beat())),
            ]

    async def disconnect(self, code: int) -> None:
        """Forget the screen."""
        if self._joined:
            self.hub.leave(self.socket)
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Answer one frame of the browser; frames wait for each other."""
        if text_data is None or len(text_data) > LARGEST:
            await self.close(TOO_BIG)
            return
        frame = _object(text_data)
        if frame.get("t") == "act":
            await self._act(frame)
        elif frame.get("t") == "since":
            seq = frame.get("seq")
            await self._send_since(seq if isinstance(seq, int) else None)

    # --- out ---

    async def _send_since(self, since: int | None) -> bool:
        """Send what leads from `since` to now; False when it could not be read."""
        try:
            found = await in_thread(frames.catch_up, self.who.tenant_id, since)
        except DatabaseError as error:
            log.warning("live.database_away", extra={"error": str(error)})
            await self.close(AGAIN)
            return False
        self.seq = found[-1].last if found else since or 0
        self.hub.knows(self.who.tenant_id, self.seq)
        for frame in found:
            await self.send(frame.text)
        if not found:
            await self._send_beat()
        return True

    async def _write(self) -> None:
        """Send frames as they come, each number once and none left out."""
        while True:
            frame = await self.socket.queue.get()
            if frame is None:
                await self._close_slow()
                return
            if frame.last <= self.seq:
                continue
            if frame.first > self.seq + 1:
                await self._send_since(self.seq)
                continue
            await self._pass_on(frame)

    async def _pass_on(self, frame: Frame) -> None:
        self.seq = frame.last
        await self.send(frame.text)

    async def _close_slow(self) -> None:
        telemetry.closed.labels("slow").inc()
        await self.close(SLOW)

    async def _beat(self) -> None:
        """Say each ten seconds that we live; each minute ask whether they may."""
        count = 0
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            count += 1
            if self.socket.slow:
                # The writer may hang in a send that nobody reads.
                await self._close_slow()
                return
            if count % BEATS_A_CHECK == 0 and not await self._still_allowed():
                telemetry.closed.labels("outsider").inc()
                await self.close(OUTSIDER)
                return
            await self._send_beat()

    async def _send_beat(self) -> None:
        at = timezone.now().isoformat()
        beat = {"t": "beat", "seq": self.seq, "at": at, "build": build_hash()}
        await self.send(json.dumps(beat))

    async def _still_allowed(self) -> bool:
        try:
            found = await self._standing()
        except DatabaseError:
            return True  # nobody is thrown out because the database is away
        if found is None or found.tenant_id != self.who.tenant_id:
            return False
        self.who = found
        return True

    async def _guarded(self, work: Any) -> None:
        """Run a task of this socket; a peer that went away ends it in silence."""
        try:
            await work
        except (OSError, RuntimeError) as error:
            log.info("live.socket_gone", extra={"error": str(error)})

    # --- in ---

    async def _act(self, frame: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"t": "done", "id": frame.get("id")}
        try:
            # The role is asked anew: it may have changed since the last check.
            if not await self._still_allowed():
                await self.close(OUTSIDER)
                return
            answer["results"] = await in_thread(acts.perform, self.who, frame)
        except acts.BadAct as error:
            answer["error"] = error.code
        except DatabaseError as error:
            log.warning("live.act_failed", extra={"error": str(error)})
            answer["error"] = "unavailable"
        await self.send(json.dumps(answer))

    # --- where from ---

    async def _standing(self) -> Membership | None:
        cookies: dict[str, str] = self.scope.get("cookies", {})
        session_key = cookies.get(settings.SESSION_COOKIE_NAME)
        return await in_thread(doors.standing, session_key, self._slug())

    def _slug(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["slug"])

    def _since(self) -> int | None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        given = query.get("since", [""])[0]
        sound = given.isascii() and given.isdigit() and len(given) < MOST_DIGITS
        return int(given) if sound else None


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object in `text`, an empty one when it holds none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
