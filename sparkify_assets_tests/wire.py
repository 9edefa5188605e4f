"""A TCP connection with somebody in between, who can lose it to one side only."""

from __future__ import annotations

import socket
import threading

from sparkify_assets_tests.stopping import Stopping

_BYTES = 4096


class Wire(Stopping):
    """Forwards connections to a port of this machine, and loses one where it is told to.

    Args:
        port: where the server listens.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._bytes: int | None = None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def lose_after(self, number: int) -> None:
        """Lose one connection once the server has sent so many bytes, counted from now.

        The client sees its connection closed. The server goes on and sees nothing of it, as with
        a firewall in between that forgets.
        """
        with self._lock:
            self._bytes = number

    def stop(self) -> None:
        """Close everything; again does nothing."""
        self._listener.close()
        for one in self._open:
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._open += [client, server]
            threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(_BYTES):
                server.sendall(data)
        except OSError:
            pass  # it is closed: by the other thread, or by the server

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := server.recv(_BYTES):
                if self._now(len(data)):
                    client.shutdown(socket.SHUT_RDWR)
                    while server.recv(_BYTES):  # so that the server can go on sending
                        pass
                    return
                client.sendall(data)
        except OSError:
            pass
        client.close()

    def _now(self, number: int) -> bool:
        with self._lock:
            if self._bytes is None:
                return False
            self._bytes -= number
            if self._bytes > 0:
                return False
            self._bytes = None
            self.lost += 1
            return True
