"""
The table of IRC commands: parameters that are missing, and commands at the
wrong time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from twisted.python.failure import Failure

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.irc.gateway.channels import ClientChannels
from txwebqq.irc.gateway.directory import NameDirectory
from txwebqq.irc.gateway.dispatcher import COMMANDS
from txwebqq.irc.qq.contacts import Member
from txwebqq.irc.targets import Target, TargetKind

BEFORE = [
    ("AUTHENTICATE", "461 * AUTHENTICATE :Not enough parameters"),
    ("CAP", "461 * CAP :Not enough parameters"),
    ("CAP END", ""),
    ("CAP NONSENSE", "410 * NONSENSE :Invalid CAP command"),
    ("CAP :a b", "410 * * :Invalid CAP command"),
    ("JOIN", "451 * :You have not registered"),
    ("NICK", "431 * :No nickname given"),
    ("NONSENSE", "451 * :You have not registered"),
    ("PASS", "461 * PASS :Not enough parameters"),
    ("PING x", "451 * :You have not registered"),
    ("QUIT", "ERROR :Client quit"),
    ("USER me 0 *", "461 * USER :Not enough parameters"),
]

AFTER = [
    ("ADMIN", "423 me qq.test :No administrative info available"),
    ("AUTHENTICATE PLAIN", "462 me :You may not reregister"),
    ("AWAY", "305 me "),
    ("BATCH", "FAIL BATCH MULTILINE_INVALID :No such batch is open"),
    ("CAP", "461 me CAP :Not enough parameters"),
    ("CAP NONSENSE", "410 me NONSENSE :Invalid CAP command"),
    ("CAP :a b", "410 me * :Invalid CAP command"),
    ("CHATHISTORY", "FAIL CHATHISTORY INVALID_PARAMS * :Unknown subcommand"),
    ("INFO", "374 me :End of INFO list"),
    ("INVITE", "461 me INVITE :Not enough parameters"),
    ("INVITE 小明", "461 me INVITE :Not enough parameters"),
    ("INVITE 小明 #猫咪", "443 me 小明 #猫咪 "),
    ("ISON", "461 me ISON :Not enough parameters"),
    ("ISON 小明", "303 me :小明"),
    ("JOIN", "461 me JOIN :Not enough parameters"),
    ("JOIN #nowhere", "403 me #nowhere :No such channel"),
    ("KICK", "461 me KICK :Not enough parameters"),
    ("KICK #猫咪", "461 me KICK :Not enough parameters"),
    ("KICK #猫咪 nobody", "441 me nobody #猫咪 "),
    ("LIST", "322 me #猫咪 2 "),
    ("LUSERS", "255 me :I have "),
    ("MODE", "461 me MODE :Not enough parameters"),
    ("MODE #猫咪", "324 me #猫咪 +nt"),
    ("MOTD", "422 me :MOTD File is missing"),
    ("MONITOR", "461 me MONITOR :Not enough parameters"),
    ("MONITOR L", "733 me "),
    ("NAMES", "366 me * "),
    ("NICK", "431 me :No nickname given"),
    ("NICK :", "431 me :No nickname given"),
    ("NICK 1", "432 me * :Erroneous nickname"),
    ("NICK 小明", "433 me 小明 :Nickname is already in use"),
    ("NONSENSE", "421 me NONSENSE :Unknown command"),
    ("NOTICE", ""),
    ("REDACT", "461 me REDACT :Not enough parameters"),
    ("REDACT #nowhere", "461 me REDACT :Not enough parameters"),
    ("REDACT #nowhere x", "FAIL REDACT INVALID_TARGET #nowhere :No such nick/channel"),
    ("PART", "461 me PART :Not enough parameters"),
    ("PART #nowhere", "403 me #nowhere :No such channel"),
    ("PASS", "462 me :You may not reregister"),
    ("PASS alice:oolong", "462 me :You may not reregister"),
    ("PING", "409 me :No origin specified"),
    ("PING :", "409 me :No origin specified"),
    ("PING x", "PONG qq.test :x"),
    ("PONG", ""),
    ("PRIVMSG", "411 me :No recipient given (PRIVMSG)"),
    ("PRIVMSG 小明", "412 me :No text to send"),
    ("PRIVMSG 小明 :\x02\x1f\x0304\x0f", "412 me :No text to send"),
    ("PRIVMSG nobody x", "401 me nobody :No such nick/channel"),
    ("QUIT", "ERROR :Client quit"),
    ("TAGMSG", ""),
    ("TIME", "391 me qq.test :"),
    ("TOPIC", "461 me TOPIC :Not enough parameters"),
    ("TOPIC #猫咪", "331 me #猫咪 :No topic is set"),
    ("USER", "462 me :You may not reregister"),
    ("USER me 0 * x", "462 me :You may not reregister"),
    ("USERHOST", "461 me USERHOST :Not enough parameters"),
    ("VERSION", "351 me txwebqq qq.test :"),
    ("WHO", "315 me * "),
    ("WHOIS", "431 me :No nickname given"),
    ("WHOWAS", "431 me :No nickname given"),
]


@pytest.mark.parametrize(("line", "expected"), BEFORE)
def test_beforeRegistration(line: str, expected: str) -> None:
    """
    Before registration, a command is answered with 451 if it is not one of
    registration, and with 461 if it has too few parameters.
    """
    seen = Client(MemoryGateway()).send(line)
    assert expected in seen
    assert seen.count("\r\n") == bool(expected)


@pytest.mark.parametrize(("line", "expected"), AFTER)
def test_afterRegistration(gateway: MemoryGateway, line: str, expected: str) -> None:
    """
    After registration, a command is answered with 461 if it has too few
    parameters, with 462 if it is one of registration, and with 421 if there is
    no such command.
    """
    seen = gateway.client().send(line)
    assert expected in seen
    assert bool(expected) == bool(seen)


def test_complete() -> None:
    """
    The tables above have a row for each command.
    """
    assert COMMANDS.keys() <= {line.split()[0] for line, _ in AFTER}
    before = {name for name, row in COMMANDS.items() if row.beforeRegistration}
    assert before <= {line.split()[0] for line, _ in BEFORE}


def test_secondNick(gateway: MemoryGateway) -> None:
    """
    A client whose nick was refused during registration can choose another one.
    """
    client = Client(gateway)
    client.send("PASS alice:oolong", "USER me 0 * x")
    assert " 432 " in client.send("NICK 1")
    assert " 001 me " in client.send("NICK me")


def test_registrationLines() -> None:
    """
    The request for the SASL message has no source, and a granted capability
    has a colon.
    """
    client = Client(MemoryGateway())
    assert client.send("CAP REQ sasl") == ":qq.test CAP * ACK :sasl\r\n"
    assert client.send("AUTHENTICATE PLAIN") == "AUTHENTICATE +\r\n"


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        ("NAMES #none", "channels"),
        ("WHOIS nobody", "user"),
        ("PRIVMSG nobody :hello", "user"),
    ],
)
def test_faulty(
    gateway: MemoryGateway,
    monkeypatch: pytest.MonkeyPatch,
    flushLoggedErrors: Callable[..., list[Failure]],
    line: str,
    broken: str,
) -> None:
    """
    A command whose handler raises an unexpected error is answered with 400, and
    the connection stays.
    """
    client = gateway.client("labeled-response", "batch")

    def fail(*_: object) -> None:
        raise ValueError("not this one")

    part = ClientChannels if broken == "channels" else NameDirectory
    method = "named" if broken == "channels" else "targetNamed"
    with monkeypatch.context() as patch:
        patch.setattr(part, method, fail)
        seen = client.send(f"@label=x {line}")
    command = line.split()[0]
    assert f"@label=x :qq.test 400 me {command} :The gateway failed" in seen
    assert len(flushLoggedErrors(ValueError)) == 1
    assert "PONG" in client.send("PING x")


@pytest.mark.parametrize("command", ["NONSENSE", "NON_SENSE", "X-Y", "a1", "999"])
def test_unknownWithLabel(gateway: MemoryGateway, command: str) -> None:
    """
    The answer to an unknown command has the command's label.
    """
    client = gateway.client("labeled-response", "batch")
    expected = f"@label=7 :qq.test 421 me {command.upper()} :Unknown command\r\n"
    assert client.send(f"@label=7 {command} x") == expected


class Members(tuple[Member, ...]):
    """
    Members that count how often they are read.
    """

    reads = 0

    def __iter__(self) -> Iterator[Member]:
        self.reads += 1
        return super().__iter__()


def test_manyGroups(gateway: MemoryGateway) -> None:
    """
    A command about one group reads the members of that group only, so that a
    client that joins one group after the other does not keep others waiting.
    """
    conversations = gateway.aliceUser.accounts[gateway.alice.number].contacts
    [cats] = conversations.conversations.values()
    members = []
    for number in range(1, 31):
        target = Target(TargetKind.GROUP, 900000 + number)
        members.append(Members(cats.members))
        conversations.conversations[target] = replace(
            cats, target=target, name=f"g{number}", members=members[-1]
        )
    client = gateway.client()
    names = [f"#g{number}" for number in range(1, 31)]
    before = [each.reads for each in members]
    client.send(f"PART {','.join(names)}")
    client.send(*(f"JOIN {name}" for name in names))
    assert client.seen.count("JOIN #g") == 30
    assert [each.reads for each in members] == [count + 1 for count in before]


def test_manyMembers(gateway: MemoryGateway) -> None:
    """
    A client that reads slowly can register although the user is in a hundred
    groups of five hundred members.
    """
    contacts = gateway.aliceUser.accounts[gateway.alice.number].contacts
    [cats] = contacts.conversations.values()
    names = [f"成员{number}" for number in range(500)]
    members = tuple(Member(20000 + n, name, False) for n, name in enumerate(names))
    for number in range(100):
        target = Target(TargetKind.GROUP, 900000 + number)
        contacts.conversations[target] = replace(
            cats, target=target, name=f"g{number}", members=(*cats.members, *members)
        )
    client = Client(gateway)
    client.send("CAP REQ userhost-in-names", "CAP END")
    # A transport pauses its producer when it has 64 KB that are not read.
    sendQueue = client.transport.producer
    assert sendQueue is not None
    sendQueue.pauseProducing()
    client.send("PASS alice:oolong", "NICK me", "USER me 0 * :Me")
    assert not client.transport.isAborted
    sendQueue.resumeProducing()
    assert client.seen.count(" 366 ") == 101
