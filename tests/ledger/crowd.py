"""
The accounts of C{make chaos}, and the configurations of its daemons.

The accounts of the gateway, the relay and bots come first; the others have clients in
the process of the test.
"""

from __future__ import annotations

from tests.ledger.people import passwordOf

GATEWAY, RELAY, BOT = 10001, 10002, 10003
FIRST = 10004
LOBBY, LOBBY_NAME = 200001, "lobby"
BRIDGE, BRIDGE_NAME = 200002, "bridge"
TRIP, TRIP_NAME = 300001, "trip"
CHANNEL = "#chaos"
IRC_PASSWORD = "oolong"
REACH = 3
"""The number of accounts after one in the list that are its friends."""


def nickOf(number: int) -> str:
    """
    Return the nick of an account.
    """
    return f"u{number}"


class Crowd:
    """
    The accounts of a run, and who knows whom.

    @param count: the number of accounts.
    @param hasBot: whether one of them is for a bot.
    @param hasIRC: whether there are accounts for a gateway and a relay.
    @ivar everybody: those in the group of all.
    @ivar clients: the accounts with clients in the process of the test.
    @ivar bridge: those in the group that is joined with the channel.
    @ivar trip: those in the discussion.
    """

    def __init__(self, count: int, hasBot: bool = False, hasIRC: bool = True) -> None:
        self.hasBot = hasBot
        self._served = [GATEWAY] * hasIRC + [BOT] * hasBot
        self._relays = [RELAY] * hasIRC
        others = len(self._served) + len(self._relays)
        self.clients = list(range(FIRST, FIRST + count - others))
        self.everybody = frozenset([*self.clients, *self._served])
        self.bridge = self.clients[::3]
        self.trip = self.clients[::4]

    def friendsOf(self, number: int) -> list[int]:
        """
        Return the friends of an account that have clients.
        """
        at, count = self.clients.index(number), len(self.clients)
        steps = (*range(-REACH, 0), *range(1, REACH + 1))
        near = {self.clients[(at + step) % count] for step in steps}
        return sorted(near - {number})

    def population(self) -> str:
        """
        Return the population file.
        """
        lines = []
        for number in (*self._served, *self._relays, *self.clients):
            lines += [
                "[[account]]",
                f"number = {number}",
                f'password = "{passwordOf(number)}"',
                f'nick = "{nickOf(number)}"',
            ]
        pairs = {(one, number) for one in self._served for number in self.clients}
        for one in self.clients:
            pairs |= {(min(one, n), max(one, n)) for n in self.friendsOf(one)}
        for one, other in sorted(pairs):
            lines += ["[[friendship]]", f"between = [{one}, {other}]"]
        for group, name, members in (
            (LOBBY, LOBBY_NAME, [*self.clients, *self._served]),
            (BRIDGE, BRIDGE_NAME, [*self.bridge, *self._relays]),
        ):
            lines += [
                "[[group]]",
                f"number = {group}",
                f'name = "{name}"',
                f"owner = {members[0]}",
                f"members = {members}",
            ]
        lines += [
            "[[discussion]]",
            f"number = {TRIP}",
            f'name = "{TRIP_NAME}"',
            f"owner = {self.trip[0]}",
            f"members = {self.trip}",
        ]
        return "\n".join(lines) + "\n"


GATEWAY_CONFIG = f"""
[gateway]
listen = ["tcp:{{irc}}:interface=127.0.0.1"]
database = "gateway.sqlite"

[[gateway.user]]
name = "alice"
password-file = "alice.irc"

[[gateway.user.account]]
number = {GATEWAY}
password-file = "gateway.qq"
server = "http://127.0.0.1:{{qq}}"
"""

RELAY_CONFIG = f"""
[relay]
database = "relay.sqlite"

[[relay.account]]
number = {RELAY}
password-file = "relay.qq"
server = "http://127.0.0.1:{{qq}}"
burst = 50
milliseconds = 20

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:{{ircd}}"
nick = "qqrelay"
milliseconds = 20

[[relay.room]]
groups = ["{RELAY}/{BRIDGE}"]
channels = ["home/{CHANNEL}"]
joins = false
"""

BOTS_CONFIG = f"""
[[account]]
number = {BOT}
password-file = "bot.qq"
server = "http://127.0.0.1:{{qq}}"
remembered-messages = 300

[[account.http]]
listen = "tcp:{{http}}:interface=127.0.0.1"

[[account.post]]
url = "http://127.0.0.1:{{post}}/"
"""

PICTURES = """
pictures-listen = "tcp:{pictures}:interface=127.0.0.1"
pictures-url = "http://127.0.0.1:{pictures}"
pictures-megabytes = 5
"""
"""Keys of a gateway that shows pictures and files as links."""

# Without kicks, after which an account stays offline, and without refusals of sends
# that have taken effect, which no client can know of.
FAULTS = """
[[fault]]
kind = "delay"
seconds = [0.0, 0.5]
probability = 0.01
[[fault]]
kind = "delay"
when = "after"
seconds = [0.0, 0.5]
probability = 0.01
[[fault]]
kind = "reset"
probability = 0.01
[[fault]]
kind = "reset"
when = "after"
probability = 0.01
[[fault]]
kind = "truncate"
probability = 0.01
[[fault]]
kind = "wrong-length"
probability = 0.005
[[fault]]
kind = "wrong-length"
by = -3
probability = 0.005
[[fault]]
kind = "status"
code = 502
probability = 0.005
[[fault]]
kind = "status"
code = 502
when = "after"
probability = 0.005
[[fault]]
kind = "status"
code = 200
probability = 0.003
[[fault]]
kind = "status"
code = 302
location = "http://127.0.0.1:1/"
probability = 0.003
[[fault]]
kind = "retcode"
code = 121
paths = ["/channel/poll2"]
probability = 0.002
[[fault]]
kind = "retcode"
code = 108
paths = ["/channel/send_*"]
probability = 0.01
[[fault]]
kind = "garbage"
probability = 0.005
[[fault]]
kind = "garbage"
as = "utf-8"
probability = 0.005
[[fault]]
kind = "slow"
rate = 2000
probability = 0.005
[[fault]]
kind = "parts"
probability = 0.01
[[fault]]
kind = "duplicate"
probability = 0.03
[[fault]]
kind = "lose"
probability = 0.03
"""
