"""How does the embedded Valkey (Redis protocol) come to life, answer and stop?

It holds nothing that PostgreSQL could not rebuild, so it keeps no file at all.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from alertcenter.supervisor.children import Child, Spec
from alertcenter.supervisor.errors import StartError
from alertcenter.supervisor.place import Place
from alertcenter.supervisor.postgres import Answer, clean_environment

START_SECONDS = 15.0
SOCKET_NAME = "redis.sock"


@dataclass
class Valkey:
    """The embedded server of one installation."""

    place: Place

    def __post_init__(self) -> None:
        self.child = Child(self._spec())

    def start(self, pause: Callable[[float], object] = time.sleep) -> None:
        """Start and wait until PING is answered. Raises StartError."""
        self.child.start()
        deadline = time.monotonic() + START_SECONDS
        while self.probe() is not Answer.READY:
            if not self.child.running() or time.monotonic() > deadline:
                raise StartError(f"Valkey did not start; see {self.child.spec.log}.")
            pause(0.02)

    def stop(self) -> None:
        self.child.ask_to_stop()
        self.child.wait_stopped(time.monotonic() + self.child.spec.grace)

    def probe(self) -> Answer:
        """Ask PING."""
        client = redis.Redis(
            unix_socket_path=str(self.place.run / SOCKET_NAME),
            socket_timeout=2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            client.ping()
            return Answer.READY
        except redis.BusyLoadingError:
            return Answer.BUSY
        except redis.RedisError:
            return Answer.DEAD
        finally:
            client.close()

    def _spec(self) -> Spec:
        options = {
            "port": "0",
            "unixsocket": str(self.place.sockets / SOCKET_NAME),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "maxmemory": "256mb",
            # Cache entries have a time to live, the queue has none: only the
            # first may be dropped when memory runs short.
            "maxmemory-policy": "volatile-lru",
            "dir": str(self.place.sockets),
        }
        command = [str(self.place.valkey_server)]
        for name, value in options.items():
            command += [f"--{name}", value]
        return Spec(
            name="redis",
            command=command,
            environment=clean_environment(),
            log=self.place.logs / "redis.log",
            directory=self.place.sockets,
            pid_file=self.place.run / "redis.pid",
            account=self.place.account,
            stop_signal=signal.SIGTERM,
            grace=5.0,
        )


def check_redis(url: str) -> None:
    """Ask the Redis at `url` once. Raises StartError when it gives no answer."""
    retry = Retry(NoBackoff(), 0)
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    client.set_retry(retry)
    try:
        client.ping()
    except redis.BusyLoadingError:
        pass  # it is there, and will have read its data soon
    except redis.RedisError as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].strip(" .")
        raise StartError(f"Redis cannot be used, check REDIS_URL: {reason}.") from error
    finally:
        client.close()
