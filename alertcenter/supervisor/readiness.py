"""May the web process take the port, and does it answer on it?"""

from __future__ import annotations

import http.client
import socket

from alertcenter.settings.env import Env
from alertcenter.supervisor.errors import StartError

ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
LOOPBACK = "127.0.0.1"


def bind_address(env: Env) -> str:
    return env.text("ALERTCENTER_BIND", LOOPBACK)


def check_port(address: str, port: int) -> None:
    """Raise StartError when the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except PermissionError as error:
            raise StartError(
                f"This user may not listen on port {port}: set PORT to 1024 or more."
            ) from error
        except OSError as error:
            raise StartError(_refusal(address, port, error)) from error


def _refusal(address: str, port: int, error: OSError) -> str:
    if error.errno is not None and "in use" in str(error):
        return (
            f"Port {port} is in use: stop what listens there, or set PORT to another."
        )
    return f"ALERTCENTER_BIND {address} cannot be listened on: {error.strerror}."


def is_ready(env: Env) -> bool:
    """Ask /readyz once."""
    address = bind_address(env)
    target = LOOPBACK if address in ANY_ADDRESS else address
    connection = http.client.HTTPConnection(target, env.port, timeout=2)
    try:
        connection.request("GET", "/readyz", headers={"Host": _allowed_host(env)})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _allowed_host(env: Env) -> str:
    """Name a host that Django's ALLOWED_HOSTS accepts."""
    names = env.text("ALERTCENTER_ALLOWED_HOSTS").replace(",", " ").split()
    return names[0].lstrip(".") if names and names[0] != "*" else LOOPBACK
