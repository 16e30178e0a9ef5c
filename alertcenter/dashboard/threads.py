"""Where may an event loop ask the database? Here, in a few threads of its own.

Channels' own pool is one thread for the whole process, shared with Django's sync
views; an act must not wait behind somebody's long page.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import Error as DatabaseError
from django.db import connection

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

THREADS = 4
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")


async def in_thread(
    function: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs
) -> Answer:
    """Return what `function` returns; it may use the ORM."""
    context = contextvars.copy_context()
    call = partial(context.run, partial(_clean, function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_pool, call)


def _clean(
    function: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs
) -> Answer:
    """Call `function` with the thread's own connection, which is kept: when a
    thousand screens come back at once, each would pay for a log-in."""
    own: Any = connection  # the stubs do not know the health check
    own.health_check_done = False
    own.close_if_health_check_failed()
    try:
        return function(*args, **kwargs)
    except DatabaseError:
        connection.close()
        raise
