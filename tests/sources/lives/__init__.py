"""What does each sender say of one object, in each state of its life?"""

from tests.sources.lives.cloud import CLOUD
from tests.sources.lives.life import Life
from tests.sources.lives.monitors import MONITORS
from tests.sources.lives.native import NATIVE
from tests.sources.lives.tools import TOOLS

LIVES: dict[str, Life] = NATIVE | CLOUD | MONITORS | TOOLS

__all__ = ["LIVES", "Life"]
