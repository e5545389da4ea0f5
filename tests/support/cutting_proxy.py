"""A proxy before PostgreSQL that cuts the connection at a chosen word, before or after the server has done it."""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Self

_SOCKET = ".s.PGSQL.5432"
_SYNC = b"S\x00\x00\x00\x04"
"""The end of a pipeline (perhaps with a Flush after it): now the server answers, and waits."""


class CuttingProxy:
    """Passes everything on until a client sends the word that it was told to cut at; then it cuts, once."""

    def __init__(self, server_folder: Path) -> None:
        self._server = str(server_folder / _SOCKET)
        self.folder = Path(tempfile.mkdtemp(prefix="junctor-cut-"))
        self._word: bytes | None = None
        self._does_it = False
        self.cuts = 0
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / _SOCKET))
        self._listener.listen()
        self._listener.settimeout(0.05)
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of a database through this proxy."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def cut_at(self, word: bytes, *, does_it: bool) -> None:
        """Cut the next connection whose client sends the word; `does_it`: the server still gets it, and answers."""
        self._word, self._does_it = word, does_it

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                self._start(self._carry, client)

    def _carry(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._server)
            while not self._stopping.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.05)
                if server in ready:
                    answer = server.recv(65536)
                    if not answer:
                        return
                    client.sendall(answer)
                if client in ready:
                    asked = client.recv(65536)
                    if not asked:
                        return
                    if self._word is not None and self._word in asked:
                        self._cut(client, server, asked)
                        return
                    server.sendall(asked)

    def _cut(self, client: socket.socket, server: socket.socket, asked: bytes) -> None:
        self._word = None
        while self._does_it and _SYNC not in asked[-2 * len(_SYNC) :]:
            asked += client.recv(65536)
        if self._does_it:
            server.sendall(asked)
            server.recv(1)  # it has answered: what was asked is done
        self.cuts += 1
