"""
Sessions whose polls are answered and bring nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rig import (
    LOGIN2,
    POLL,
    PROBE,
    CapturedLog,
    Reply,
    Rig,
    batch,
    envelope,
)
from txwebqq.model import Number, Status, StatusChange, Typing, Uin
from txwebqq.session.liveness import silence

SILENCE = 120.0
"""A shorter one than outside of tests."""


class DeafRig(Rig):
    """
    A server that answers all polls, and from a moment on tells of no status.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bob.run()
        self.server.requests.clear()
        self._presence = self.web.state.presence
        self._announce = self._presence.announce
        self.isDeaf = False
        self._presence.announce = self.announce  # type: ignore[method-assign]

    def announce(self, number: Number, before: Status, after: Status) -> None:
        if not self.isDeaf:
            self._announce(number, before, after)

    @property
    def signOns(self) -> int:
        return self.server.requests.count("/login")

    @property
    def rejoins(self) -> int:
        return self.server.requests.count(LOGIN2) - self.signOns


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeafRig]:
    """
    One that stops in the end.
    """
    monkeypatch.setattr(silence, "SILENCE", SILENCE)
    monkeypatch.setattr(silence, "MAX_SILENCE", 4 * SILENCE)
    deaf = DeafRig()
    yield deaf
    deaf.bob.stop()
    deaf.finish()


def test_deaf(deaf: DeafRig) -> None:
    """
    When a friend's status changes and no event of it comes, the session is resumed;
    when another change does not come either, the account signs on again. Each is
    logged.
    """
    deaf.start()
    deaf.isDeaf = True
    with CapturedLog() as logged:
        deaf.web.settle(SILENCE + 100)
        deaf.bob.appear(Status.AWAY)
        deaf.web.settle(SILENCE + 100)
        assert (deaf.rejoins, deaf.signOns) == (1, 1)
        assert deaf.service.signOns.incoming.deaf == 1
        deaf.web.settle(SILENCE)
        deaf.bob.appear(Status.BUSY)
        deaf.web.settle(2 * SILENCE)
    assert (deaf.rejoins, deaf.signOns) == (1, 2)
    assert "The polls bring no events (account 10001): friends have ch" in logged.text
    assert "its polls are answered but bring no events, also after" in logged.text
    assert deaf.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


def test_mended(deaf: DeafRig) -> None:
    """
    When events come after the rejoin, there is no other sign-on, and later silence
    begins with a rejoin again.
    """
    deaf.start()
    deaf.isDeaf = True
    deaf.web.settle(SILENCE + 10)
    deaf.bob.appear(Status.AWAY)
    deaf.web.settle(SILENCE + 40)
    assert deaf.rejoins == 1
    deaf.isDeaf = False
    deaf.bob.tell(deaf.alice, "hi")
    deaf.web.settle(SILENCE)
    deaf.isDeaf = True
    deaf.web.settle(2 * SILENCE)
    deaf.bob.appear(Status.BUSY)
    deaf.web.settle(2 * SILENCE)
    assert (deaf.rejoins, deaf.signOns) == (2, 1)


def test_quiet(deaf: DeafRig) -> None:
    """
    A session in which nothing happens for hours is left alone; it is looked at each
    ten minutes.
    """
    deaf.start()
    deaf.web.settle(10 * SILENCE)
    assert (deaf.rejoins, deaf.signOns) == (0, 1)
    # Those of the friend as well, who was signed on before.
    assert deaf.server.requests.count(PROBE) == 1 + 10 + 9


def test_statuses(deaf: DeafRig) -> None:
    """
    Changes whose events come, at any time, mean that all is well.
    """
    deaf.start()
    for n, status in enumerate([Status.AWAY, Status.HIDDEN, Status.ONLINE] * 4):
        deaf.web.settle(SILENCE / 3 + n)
        deaf.bob.appear(status)
    deaf.web.settle(3 * SILENCE)
    assert (deaf.rejoins, deaf.signOns) == (0, 1)
    assert deaf.service.signOns.incoming.deaf == 0


def test_late(deaf: DeafRig) -> None:
    """
    An event that comes a little later than the status is no silence.
    """
    deaf.start()
    deaf.web.settle(SILENCE + 5)
    deaf.isDeaf = True
    deaf.web.settle(SILENCE - 60)
    deaf.bob.appear(Status.AWAY)
    # The look that sees it, and half of the time for its event.
    deaf.web.settle(70)
    deaf.isDeaf = False
    deaf.announce(deaf.bob.number, Status.ONLINE, Status.AWAY)
    deaf.web.settle(2 * SILENCE)
    assert (deaf.rejoins, deaf.signOns) == (0, 1)


@pytest.mark.parametrize(
    ("reply", "rejoins"),
    [
        (b'{"retcode":121,"t":"0"}', 1),
        (b'{"retcode":100,"errmsg":""}', 1),
        (b'{"retcode":99,"errmsg":""}', 0),
        (500, 0),
        (b"{", 0),
    ],
)
def test_refused(deaf: DeafRig, reply: Reply, rejoins: int) -> None:
    """
    A session that another request finds invalid is resumed, though its polls are
    answered. Other failures mean nothing.
    """
    deaf.start()
    deaf.server.replies[PROBE] = [reply]
    deaf.web.settle(SILENCE + 10)
    assert (deaf.rejoins, deaf.signOns) == (rejoins, 1)


def test_bounded(deaf: DeafRig) -> None:
    """
    A server that never tells of statuses has an account sign on again, but ever more
    rarely.
    """
    deaf.start()
    deaf.isDeaf = True
    statuses = [Status.AWAY, Status.BUSY, Status.ONLINE]
    for n in range(40):
        deaf.bob.appear(statuses[n % 3])
        deaf.web.settle(SILENCE)
    assert 3 <= deaf.signOns <= 6
    assert deaf.service._driver._silence.interval == 4 * SILENCE


def test_notHot(rig: Rig) -> None:
    """
    A server that gives events without ids, other than messages, as fast as it is
    polled, is polled about once a second after the first ones.
    """
    for event in (Typing(Uin(7), Number(10001)), StatusChange(Uin(7), Status.AWAY)):
        rig.server.requests.clear()
        rig.polls(*[batch(envelope(event))] * 100)
        rig.web.settle(20)
        assert rig.server.requests.count(POLL) <= 44
        rig.web.result(rig.service.stopService())
