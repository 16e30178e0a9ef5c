"""How is Debian's Alertmanager run beside us? One receiver that does nothing."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from bench.load import Target
from tests.stack import free_port

CONFIG = """
route: {receiver: nobody, group_by: [alertname, cluster]}
receivers: [{name: nobody}]
"""


class Alertmanager:
    """A context manager: the server and its data end with it."""

    def __init__(self) -> None:
        self.program = shutil.which("prometheus-alertmanager")

    def __enter__(self) -> Target | None:
        if self.program is None:
            return None
        self.folder = Path(tempfile.mkdtemp(prefix="ac-bench-am-"))
        (self.folder / "config.yml").write_text(CONFIG)
        address = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            [
                self.program,
                f"--config.file={self.folder / 'config.yml'}",
                f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait(f"http://{address}/-/ready")
        return Target("Alertmanager", f"http://{address}/api/v2/alerts")

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self.program is None:
            return
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, url: str) -> None:
        for _ in range(100):
            try:
                with urllib.request.urlopen(url, timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("bench: Alertmanager does not start.")
