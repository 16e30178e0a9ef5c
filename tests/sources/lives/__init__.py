"""What does each sender say of one object, in each state of its life?

A file of this folder is one sender with its `say`, or several that are alike.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from tests.sources.lives.cloud import CLOUD
from tests.sources.lives.life import Life
from tests.sources.lives.monitors import MONITORS
from tests.sources.lives.native import NATIVE
from tests.sources.lives.tools import TOOLS


def alone(file: ModuleType) -> Life:
    """Return the life in a file of one sender."""
    return Life(
        file.say,
        file.SEVERITIES,
        resolves=getattr(file, "RESOLVES", True),
        headers=getattr(file, "HEADERS", None),
    )


FILES = {
    found.name: import_module(f"{__name__}.{found.name}")
    for found in iter_modules(__path__)
}
LIVES: dict[str, Life] = (
    {name: alone(file) for name, file in FILES.items() if hasattr(file, "say")}
    | NATIVE
    | CLOUD
    | MONITORS
    | TOOLS
)

__all__ = ["LIVES", "Life"]
