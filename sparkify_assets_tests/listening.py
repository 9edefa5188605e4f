"""Where the processes of this machine listen."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

# Address, port, and the name of the program.
Listening = set[tuple[str, int, str]]
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def listening(pid: int, seen: Listening | None = None) -> Listening:
    """The sockets on which a process and its children listen, TCP and bound UDP.

    Args:
        seen: takes them, too.
    """
    found: Listening = set() if seen is None else seen
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return found
    for process in processes:
        try:
            name = process.name()
            for socket in process.net_connections("inet"):
                if socket.status == psutil.CONN_LISTEN or (
                    socket.status == psutil.CONN_NONE and not socket.raddr
                ):
                    found.add((socket.laddr.ip, socket.laddr.port, name))
        except (psutil.NoSuchProcess, psutil.ZombieProcess):  # it ended meanwhile
            continue
    return found


def listening_until(pid: int, over: Callable[[], bool], pause: float = 0.05) -> Listening:
    """All sockets on which they listen until it is over, however shortly."""
    seen: Listening = set()
    while not over():
        listening(pid, seen)
        time.sleep(pause)
    return seen


def elsewhere(found: Listening) -> list[tuple[str, int, str]]:
    """Those that others than this machine can reach."""
    return sorted(one for one in found if one[0] not in LOOPBACK)
