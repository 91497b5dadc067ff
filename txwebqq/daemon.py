"""
Being told to stop, which is a success.
"""

from __future__ import annotations

import signal
from typing import Any


def heedTerminate(reactor: Any) -> None:
    """
    Have SIGTERM end the process with exit code 0, once all is done; twistd's
    own way ends in dying of the signal. To be called when the reactor runs.
    """

    def terminate(number: int, frame: object) -> None:
        reactor.callFromThread(reactor.stop)

    signal.signal(signal.SIGTERM, terminate)
