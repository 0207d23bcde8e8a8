"""A proxy in front of a PostgreSQL server that cuts connections at their commits."""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_SOCKET_NAME = ".s.PGSQL.5432"
_COMMIT = b"COMMIT\x00"


class CuttingProxy:
    """Passes on what clients and the server say, and cuts connections at some commits.

    Attributes:
        url: Of the database, through the proxy.
        cuts_before: How many commits are yet to be cut off before the server hears of them.
        at_cut: What happens at such a cut; nobody is let in meanwhile.
        cuts_after: How many are yet to be cut off before the client hears the answer.
        delay_s: How long after such a cut the server hears of the commit, seconds.
        is_closed: Whether no connection is taken on any more.
        closes_with_answer: Whether it closes as soon as an answer has been cut off.
    """

    def __init__(self, url: str, directory: Path) -> None:
        """Listen in a directory, for a database on a socket."""
        server = parse_qs(urlsplit(url).query)["host"][0]
        self.url = f"{url.partition('?')[0]}?host={directory}"
        self.cuts_before = self.cuts_after = 0
        self.delay_s = 0.0
        self.at_cut: Callable[[], object] = lambda: None
        self.is_closed = self.closes_with_answer = False
        self._cutting = threading.Lock()
        self._clients: list[socket.socket] = []
        self._server_path = str(Path(server) / _SOCKET_NAME)
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(directory / _SOCKET_NAME))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    @contextmanager
    def running(cls, url: str) -> "Iterator[CuttingProxy]":
        """Run one during a block."""
        directory = Path(tempfile.mkdtemp(prefix="px-"))  # The path of a socket has at most 107 bytes.
        try:
            proxy = cls(url, directory)
            yield proxy
            proxy._listening.close()
        finally:
            shutil.rmtree(directory)

    def cut_all(self) -> None:
        """Cut every connection that there is, as a restart or a time-out on the way does; new ones are taken on."""
        with self._cutting:
            for client in self._clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            self._clients.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                with self._cutting:
                    if self.is_closed:
                        client.close()
                        continue
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(self._server_path)
                    self._clients.append(client)
                is_cut = threading.Event()
                threading.Thread(target=self._pass_on, args=(client, server, is_cut), daemon=True).start()
                threading.Thread(target=_pass_back, args=(server, client, is_cut), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if _COMMIT in data and self.cuts_before > 0:
                    self.cuts_before -= 1
                    with self._cutting:
                        self.at_cut()
                    break
                if _COMMIT in data and self.cuts_after > 0:
                    self.cuts_after -= 1
                    self.is_closed = self.closes_with_answer
                    is_cut.set()
                    if self.delay_s > 0:
                        client.shutdown(socket.SHUT_RDWR)
                        time.sleep(self.delay_s)
                server.sendall(data)
        _cut(client, server)


def _pass_back(server: socket.socket, client: socket.socket, is_cut: threading.Event) -> None:
    with suppress(OSError):
        while data := server.recv(65536):
            if is_cut.is_set():
                break
            client.sendall(data)
    _cut(client, server)


def _cut(*sides: socket.socket) -> None:
    for side in sides:
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()
