"""Did somebody ask this supervisor to stop?"""

from __future__ import annotations

import os
import select
import signal

from alertcenter.supervisor.errors import StopRequested

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Set by Ctrl-C, SIGTERM and SIGHUP; looked at wherever we wait.

    A pipe, and no threading.Event: its lock may be held by the very line that the
    signal interrupts, and the handler would wait for it for ever.
    """

    def __init__(self) -> None:
        self.made = False
        self._read, self._write = os.pipe()

    def install(self) -> None:
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup
            signal.signal(number, lambda _number, _frame: self.make())

    def make(self) -> None:
        """Ask; whoever waits wakes up, now and ever after."""
        if not self.made:
            self.made = True
            os.write(self._write, b"!")

    def wait(self, seconds: float) -> None:
        """Sleep, but wake at once for a request."""
        select.select([self._read], [], [], seconds)

    def pause(self, seconds: float) -> None:
        """Sleep during the start. Raises StopRequested when asked to stop."""
        self.wait(seconds)
        if self.made:
            raise StopRequested
