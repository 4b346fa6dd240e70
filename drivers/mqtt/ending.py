"""Ends a task that should have ended already.

Before Python 3.12 `asyncio.wait_for`, through which aiomqtt waits for the broker's answers, swallows a cancellation
that comes together with the answer (python/cpython issue 86296): whoever goes on after such a wait has to look.
"""

from __future__ import annotations

import asyncio


def end_if_cancelled() -> None:
    """Raises `CancelledError` if the current task was cancelled and does not know it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
