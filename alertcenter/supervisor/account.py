"""As which user do the embedded servers run, and what can that user reach?"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertcenter.supervisor.errors import StartError

USER_NAME = "alertcenter"
FALLBACK_NAME = "nobody"


@dataclass(frozen=True)
class Account:
    """An unprivileged user that root starts the servers as."""

    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """Return the arguments that make `subprocess` drop to this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Tell whether this user may enter or execute `path`, by trying."""
        command = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
        result = subprocess.run(  # noqa: S603 - fixed command, path is an argument
            command, cwd="/", check=False, **self.popen_arguments()
        )
        return result.returncode == 0

    def owns(self, path: Path) -> None:
        """Give the one entry `path` to this user."""
        if path.lstat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def service_account(data: Path) -> Account | None:
    """Return the user for the servers, or None when we are no root.

    PostgreSQL refuses to run as root. Data that an ordinary user made is
    served as that user, so that both ways of starting keep working.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return _account_of(data)
    entry = _find(USER_NAME) or _create() or _find(FALLBACK_NAME)
    if entry is None:
        raise StartError(
            f"PostgreSQL cannot run as root: create a user named {USER_NAME}, "
            "or start AlertCenter as an ordinary user."
        )
    return Account(entry.pw_uid, entry.pw_gid)


def _account_of(path: Path) -> Account:
    status = path.stat()
    return Account(status.st_uid, status.st_gid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd | None:
    """Create the system user where the machine has `useradd`."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    options = ["--system", "--user-group", "--no-create-home"]
    shell = ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    subprocess.run(  # noqa: S603 - fixed command
        [useradd, *options, *shell, USER_NAME], check=False, capture_output=True
    )
    return _find(USER_NAME)
