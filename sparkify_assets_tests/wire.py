"""A TCP connection with somebody in between, who can lose it to one side only."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from sparkify_assets_tests.stopping import Stopping

_BYTES = 4096
_KEPT_BYTES = 1 << 20


class Wire(Stopping):
    """Forwards connections to a port of this machine, and loses one where it is told to.

    Attributes:
        port: where clients find it.
        answered: what the server sent, up to a megabyte.
        lost: how many connections were lost.

    Args:
        port: where the server listens.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._left: int | None = None
        self._refuses = self._for_good = False
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.answered = bytearray()
        self.lost = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def lose_after(self, number: int, *, for_good: bool = False) -> None:
        """Lose one connection once the server has sent so many bytes, counted from now.

        The client sees its connection closed. The server goes on and sees nothing of it, as where
        something in between has failed over.

        Args:
            for_good: whether no other one gets through after it, as where a server is gone.
        """
        with self._lock:
            self._left, self._for_good = number, for_good

    def stop(self) -> None:
        """Close everything; again does nothing."""
        with self._lock:
            sockets = [self._listener, *self._open]
        for one in sockets:
            # A thread that waits for it wakes by this, and not by its being closed.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # stopped
                return
            if self._refuses:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:  # it is gone, and so is it for the client
                client.close()
                continue
            with self._lock:
                self._open += [client, server]
            both = (client, server, threading.Event())
            threading.Thread(target=self._to_server, args=both, daemon=True).start()
            threading.Thread(target=self._to_client, args=both, daemon=True).start()

    def _to_server(
        self, client: socket.socket, server: socket.socket, lost: threading.Event
    ) -> None:
        with suppress(OSError):  # closed by the other thread, or by either side
            while data := client.recv(_BYTES):
                server.sendall(data)
        if not lost.is_set():  # else nobody tells the server
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)

    def _to_client(
        self, client: socket.socket, server: socket.socket, lost: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := server.recv(_BYTES):
                if self._is_lost(data):
                    lost.set()
                    with suppress(OSError):
                        client.shutdown(socket.SHUT_RDWR)
                    while server.recv(_BYTES):  # so that the server can go on sending
                        pass
                    return
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _is_lost(self, data: bytes) -> bool:
        with self._lock:
            self.answered += data[: max(0, _KEPT_BYTES - len(self.answered))]
            if self._left is None:
                return False
            self._left -= len(data)
            if self._left > 0:
                return False
            self._left = None
            self._refuses = self._for_good
            self.lost += 1
            return True
