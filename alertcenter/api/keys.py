"""Which API keys does this process know, and how does it ask for others?

The event loop never waits for a query: lookups run in threads, on a connection of
their own, and their answers are remembered for a few seconds. A notice from
PostgreSQL empties the memory as soon as a key is revoked.
"""

from __future__ import annotations

import asyncio
import logging
import select
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2

from alertcenter.alerts.writer import connect
from alertcenter.api import raw
from tenants.apikeys import (
    KEY_LENGTH,
    MOST_REMEMBERED,
    KeyCache,
    KeyInfo,
    resolve,
)
from tenants.rls import as_literal

log = logging.getLogger(__name__)

LOOKUP_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
LONGEST_HEADER = 1_024

# At most once a minute for each key; the first statement opens the key's tenant.
USED = """
SELECT set_config('app.tenants', %s, true);
UPDATE apikey SET last_used_at = now() WHERE id = %s
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""


class KeysAway(Exception):
    """The database did not say whose key it is."""


class Desk:
    """Answers lookups, one at a time, on one connection."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._lock = threading.Lock()

    def look_up(self, digest: str) -> KeyInfo | None:
        """Return what the key with this hash opens. Raises KeysAway."""
        with self._lock:
            try:
                return self._ask(digest)
            except psycopg2.Error:
                self._drop()
            # The server may have been restarted since: once more, newly connected.
            try:
                return self._ask(digest)
            except psycopg2.Error as error:
                self._drop()
                raise KeysAway from error

    def close(self) -> None:
        """End the connection; the next lookup makes another."""
        with self._lock:
            self._drop()

    def _ask(self, digest: str) -> KeyInfo | None:
        if self._connection is None:
            self._connection = connect("keys")
        with self._connection.cursor() as cursor:
            info = resolve(digest, cursor)
            if info is not None:
                cursor.execute(USED, [as_literal([info.tenant_id]), str(info.id)])
        return info

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Listener:
    """Empties the memory when PostgreSQL says that a key was revoked."""

    def __init__(self, cache: KeyCache) -> None:
        self._cache = cache
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg2.Error:
                # Deaf for a while: entries live for five seconds at most anyhow.
                self._stopping.wait(RECONNECT_SECONDS)

    def _listen(self) -> None:
        connection = connect("keys-listener")
        try:
            with connection.cursor() as cursor:
                cursor.execute("LISTEN ac_keys")
            self._cache.clear()  # what was said before we listened is unknown
            while not self._stopping.is_set():
                self._wait(connection)
        finally:
            connection.close()

    def _wait(self, connection: Any) -> None:
        if not select.select([connection], [], [], 0.5)[0]:
            return
        connection.poll()
        if connection.notifies:
            connection.notifies.clear()
            self._cache.clear()


DESK = Desk()
CACHE = KeyCache(DESK.look_up)

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="key-lookup")
_headers: dict[bytes, str] = {}
_asking: dict[str, asyncio.Task[KeyInfo | None]] = {}
_listener: Listener | None = None


def start() -> None:
    """Listen for revoked keys, once in this process."""
    global _listener
    if _listener is None:
        _listener = Listener(CACHE)
        _listener.start()


def stop() -> None:
    """End the listener and the lookups' connection."""
    global _listener
    listener, _listener = _listener, None
    if listener is not None:
        listener.stop()
    DESK.close()


def find(plaintext: str) -> KeyInfo | None:
    """Return what the key opens; for threads. Raises KeysAway."""
    return CACHE.find(plaintext)


def remembered(authorization: bytes) -> KeyInfo | None:
    """Return what the key in this header opens, if that is known without asking."""
    plaintext = _headers.get(authorization)
    if plaintext is None:
        if len(authorization) > LONGEST_HEADER:
            return None
        plaintext = raw.credential(authorization.decode("latin-1"))
        if len(plaintext) > KEY_LENGTH:
            return None
        if len(_headers) >= MOST_REMEMBERED:
            _headers.clear()
        _headers[authorization] = plaintext
    return CACHE.remembered(plaintext)[1]


def was_valid(plaintext: str) -> bool:
    """Whether the key was good when it was last looked up, however long ago."""
    return CACHE.last_known(plaintext) is not None


async def find_soon(plaintext: str) -> KeyInfo | None:
    """Return what the key opens; for the event loop. Raises KeysAway.

    Requests that wait for the same key share one lookup.
    """
    fresh, info = CACHE.remembered(plaintext)
    if fresh:
        return info
    task = _asking.get(plaintext)
    if task is None or task.done():
        task = asyncio.ensure_future(_ask_in_thread(plaintext))
        _asking[plaintext] = task
        task.add_done_callback(lambda done: _asking.pop(plaintext, None))
    # Shielded: the caller who gives up must not cancel it for the others.
    return await asyncio.shield(task)


async def _ask_in_thread(plaintext: str) -> KeyInfo | None:
    loop = asyncio.get_running_loop()
    lookup = loop.run_in_executor(_threads, CACHE.find, plaintext)
    try:
        return await asyncio.wait_for(lookup, LOOKUP_SECONDS)
    except TimeoutError as error:
        raise KeysAway from error
