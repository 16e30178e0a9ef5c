"""Did somebody ask this supervisor to stop?"""

from __future__ import annotations

import signal
import threading

from alertcenter.supervisor.errors import StopRequested

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Set by Ctrl-C, SIGTERM and SIGHUP; looked at wherever we wait."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def install(self) -> None:
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup
            signal.signal(number, lambda _number, _frame: self._event.set())

    @property
    def made(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, but wake at once for a request."""
        self._event.wait(seconds)

    def pause(self, seconds: float) -> None:
        """Sleep during the start. Raises StopRequested when asked to stop."""
        self.wait(seconds)
        if self.made:
            raise StopRequested
