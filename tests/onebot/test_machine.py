"""
The sign-on machine of today's QQ: each input in each state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from automat import NoTransition

from txwebqq.errors import Kicked, LoginRefused, SessionExpired, WebQQError
from txwebqq.model import Account, KickNotice, Number
from txwebqq.onebot.interfaces import SignOnInputs, SignOnState
from txwebqq.onebot.machine import makeSignOn


class RecordingActions:
    """
    Records the actions that the machine asks for.
    """

    def __init__(self) -> None:
        self.log: list[str] = []
        self.isNew = True
        self.hasProtocol = True

    def taken(self) -> list[str]:
        """
        Return the actions since the last time.
        """
        log, self.log = self.log, []
        return log

    def buildProtocol(self) -> bool:
        """
        Build one unless told otherwise.
        """
        self.log.append("build")
        if not self.hasProtocol:
            raise LoginRefused("none")
        return self.isNew

    def connectProtocol(self) -> None:
        """
        Record it.
        """
        self.log.append("connectProtocol")

    def connect(self) -> None:
        """
        Record it.
        """
        self.log.append("connect")

    def cancelPending(self) -> None:
        """
        Record it.
        """
        self.log.append("cancel")

    def identify(self) -> None:
        """
        Record it.
        """
        self.log.append("identify")

    def loadRoster(self) -> None:
        """
        Record it.
        """
        self.log.append("load")

    def openChannel(self) -> None:
        """
        Record it.
        """
        self.log.append("open")

    def wait(self, attempt: int, reason: str) -> None:
        """
        Record it.
        """
        self.log.append(f"wait {attempt}")

    def endSignOn(self, reason: WebQQError | None) -> None:
        """
        Record it.
        """
        self.log.append(f"end {type(reason).__name__}")


Input = Callable[[SignOnInputs], None]

INPUTS: Mapping[str, Input] = {
    "start": lambda machine: machine.start(),
    "stop": lambda machine: machine.stop(),
    "linked": lambda machine: machine.linked(),
    "identified": lambda machine: machine.identified(Number(10001)),
    "another": lambda machine: machine.identified(Number(5)),
    "rosterLoaded": lambda machine: machine.rosterLoaded(),
    "failed": lambda machine: machine.failed("gone"),
    "refused": lambda machine: machine.refused(LoginRefused("no")),
    "kicked": lambda machine: machine.kicked(KickNotice("elsewhere")),
    "retry": lambda machine: machine.retry(),
}

# The inputs that lead to each state.
STATES = {
    "Offline": "",
    "Connecting": "start",
    "Greeting": "start linked",
    "LoadingRoster": "start linked identified",
    "Online": "start linked identified rosterLoaded",
    "Waiting": "start failed",
}

BEGIN = "build connect connectProtocol"
REFUSED = "cancel end LoginRefused"
WAIT = "cancel wait 0"

# The actions of each input in each state; what is not here cannot happen.
TABLE = {
    ("Offline", "start"): BEGIN,
    ("Offline", "stop"): "",
    ("Connecting", "start"): "",
    ("Connecting", "stop"): "cancel end NoneType",
    ("Connecting", "linked"): "identify",
    ("Connecting", "failed"): WAIT,
    ("Connecting", "refused"): REFUSED,
    ("Greeting", "start"): "",
    ("Greeting", "stop"): "cancel end NoneType",
    ("Greeting", "identified"): "load",
    ("Greeting", "another"): REFUSED,
    ("Greeting", "failed"): WAIT,
    ("Greeting", "refused"): REFUSED,
    ("LoadingRoster", "start"): "",
    ("LoadingRoster", "stop"): "cancel end NoneType",
    ("LoadingRoster", "rosterLoaded"): "open",
    ("LoadingRoster", "failed"): WAIT,
    ("LoadingRoster", "refused"): REFUSED,
    ("Online", "start"): "",
    ("Online", "stop"): "cancel end NoneType",
    ("Online", "failed"): "cancel end SessionExpired cancel wait 0",
    ("Online", "refused"): REFUSED,
    ("Online", "kicked"): "cancel end Kicked",
    ("Waiting", "start"): "",
    ("Waiting", "stop"): "cancel end NoneType",
    ("Waiting", "retry"): BEGIN,
}


def machineIn(state: str) -> tuple[SignOnInputs, RecordingActions]:
    """
    Make a machine in a state.
    """
    actions = RecordingActions()
    machine = makeSignOn(SignOnState(Account(Number(10001), ""), actions))
    for name in STATES[state].split():
        INPUTS[name](machine)
    actions.taken()
    return machine, actions


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", INPUTS)
def test_input(state: str, name: str) -> None:
    """
    Each input has its actions, or cannot happen.
    """
    machine, actions = machineIn(state)
    expected = TABLE.get((state, name))
    if expected is None:
        with pytest.raises(NoTransition):
            INPUTS[name](machine)
    else:
        INPUTS[name](machine)
        assert " ".join(actions.taken()) == expected


def test_failures() -> None:
    """
    The attempts are counted until the account is signed on.
    """
    machine, actions = machineIn("Connecting")
    for attempt in range(3):
        machine.failed("gone")
        assert actions.taken()[-1] == f"wait {attempt}"
        machine.retry()
        actions.taken()
    for name in ("linked", "identified", "rosterLoaded", "failed"):
        INPUTS[name](machine)
    assert actions.taken()[-1] == "wait 0"


def test_keptProtocol() -> None:
    """
    An attempt that was never signed on leaves its protocol to the next.
    """
    machine, actions = machineIn("Waiting")
    actions.isNew = False
    machine.retry()
    assert actions.taken() == ["build", "connect"]


def test_noProtocol() -> None:
    """
    Without a protocol there is no attempt.
    """
    machine, actions = machineIn("Offline")
    actions.hasProtocol = False
    machine.start()
    assert actions.taken() == ["build", "cancel", "end LoginRefused"]
    machine.start()
    assert actions.taken()[0] == "build"


def test_reasons() -> None:
    """
    The ends have classes of their own.
    """
    assert {SessionExpired, Kicked, LoginRefused} < set(WebQQError.__subclasses__())
