"""Who is writing an answer, and whether that process still lives."""

import socket
from datetime import datetime, timedelta
from functools import lru_cache

import psutil

# Several heartbeats of the engine: a writer on another machine that is silent for longer is gone.
SILENCE = timedelta(seconds=30)


@lru_cache
def this_process() -> str:
    """A name for this process that no other ever has: host, process id and start time."""
    process = psutil.Process()
    return f"{socket.gethostname()}|{process.pid}|{process.create_time():.2f}"


def is_alive(owner: str | None, heartbeat_at: datetime | None, now: datetime) -> bool:
    """Whether `owner` may still be writing. On this machine we look; elsewhere its heartbeat tells."""
    if owner is None:
        return False
    host, pid, created = owner.rsplit("|", 2)
    if host != socket.gethostname():
        return heartbeat_at is not None and now - heartbeat_at < SILENCE
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True
