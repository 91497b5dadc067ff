"""
A proxy whose network hangs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Literal, Self

from tests.page.browser import PageServer


class HangingProxy:
    """
    Passes on what goes to a server and comes from it. As a context manager it runs
    until the end of the block.

    @ivar manner: for what is passed on from now on: all, nothing (C{"hang"}: requests
        are taken and never answered), or answers up to their middle (C{"cut"}: the
        server has the whole request).
    """

    def __init__(self, server: PageServer) -> None:
        self.manner: Literal["pass", "hang", "cut"] = "pass"
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *raised: object) -> None:
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        Thread(target=target, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._server.port))
                self._open += [near, far]
                self._start(self._pass, near, far, False)
                self._start(self._pass, far, near, True)

    def _pass(self, source: socket.socket, to: socket.socket, isAnswer: bool) -> None:
        hangs = False
        with suppress(OSError):
            while data := source.recv(65536):
                # What has hung once does not go on.
                if hangs or self.manner == "hang":
                    hangs = True
                elif self.manner == "cut" and isAnswer:
                    to.sendall(data[:-10])
                    hangs = True
                else:
                    to.sendall(data)
            to.shutdown(socket.SHUT_WR)
