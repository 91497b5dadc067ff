"""
The process that runs one function of a measure: C{python -m benchmarks.work
MODULE:FUNCTION SIZE}.
"""

from __future__ import annotations

import inspect
import json
import sys
from importlib import import_module
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner


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
        print(json.dumps(await call(reactor, **size)))

    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))


if __name__ == "__main__":
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    run(sys.argv[1], json.loads(sys.argv[2]))
