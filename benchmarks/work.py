"""
The process that runs one function of a measure: C{python -m benchmarks.work
MODULE:FUNCTION SIZE [--watched]}.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import traceback
from importlib import import_module
from threading import Thread
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner

from benchmarks.measures import Reading


def run(name: str, size: dict[str, Any]) -> None:
    """
    Run a function and print its result as JSON. A coroutine function is called
    with the reactor, which runs meanwhile.
    """
    module, _, function = name.partition(":")
    call = getattr(import_module(module), function)
    if not inspect.iscoroutinefunction(call):
        print(json.dumps(call(**size)))
        return

    async def main(reactor: Any) -> None:
        try:
            print(json.dumps(await call(reactor, **size)))
        except Exception:
            # Of any class: L{react} would only log it.
            traceback.print_exc()
            raise SystemExit(1) from None

    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))


def finish(reading: Reading) -> NoReturn:
    """
    Print the reading of a function and end the process at once, without the
    shutdown of what the function has started.
    """
    os.write(1, f"{json.dumps(reading)}\n".encode())
    os._exit(0)


def _endWithParent() -> None:
    """
    End this process and those that it has started when the process has ended
    that holds the other end of stdin.
    """
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[3:] == ["--watched"]:
        Thread(target=_endWithParent, daemon=True).start()
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    run(sys.argv[1], json.loads(sys.argv[2]))
