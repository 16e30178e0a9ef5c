"""Where does this installation keep its data, its sockets and its secrets?"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import tempfile
from pathlib import Path

# sockaddr_un.sun_path is 108 bytes with its NUL; ".s.PGSQL.5432.lock" is the
# longest name put under the directory.
SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"

SECRET_NAMES = (
    "secret_key",
    "pepper",
    "db_superuser",
    "db_owner",
    "db_app",
    "db_engine",
)


def run_directory(home: Path) -> Path:
    """Return the folder for unix sockets: `home/run`, or a short one in /tmp."""
    candidate = home / "run"
    if len(str(candidate)) + len(LONGEST_SOCKET_NAME) <= SOCKET_PATH_LIMIT:
        return candidate
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ac-{digest}"


def load_secrets(home: Path) -> dict[str, str]:
    """Return this installation's secrets, making `secrets.json` (0600) once.

    Several processes may call this at the same moment: the file is written
    beside its place and linked into it, so the first writer wins and everybody
    reads the same values.
    """
    path = home / "secrets.json"
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = {name: secrets.token_urlsafe(32) for name in SECRET_NAMES}
        fresh["kek"] = base64.b64encode(secrets.token_bytes(32)).decode()
        handle, temporary = tempfile.mkstemp(dir=home, prefix=".secrets-")
        with os.fdopen(handle, "w") as file:
            json.dump(fresh, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(temporary)
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded
