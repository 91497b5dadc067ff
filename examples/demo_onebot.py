"""
The demo of OneBot 11: a bot of NoneBot 2 on an account of our own server, and the echo
bot of this folder on an account that it reaches by OneBot 11 alone, as it would reach
today's QQ. Alice speaks with both.
"""

from __future__ import annotations

import argparse

from demo import TWISTD, DemoProcesses, freePort, run, untilLogged
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import react

ECHO, GUEST = 10002, 10003
TOKEN = "oolong"

ACCOUNT = """
[[account]]
number = {number}
password-file = "{number}.password"
server = "{url}"

[[account.forward]]
listen = "tcp:{port}:interface=127.0.0.1"
token-file = "token"
"""


async def converse(
    reactor: IReactorTime, processes: DemoProcesses, python: str
) -> None:
    """
    Run the conversation.

    @param python: the interpreter of an environment with NoneBot.
    """
    server = processes.server()
    # A reply at its port could be that of another server.
    await untilLogged(reactor, server, "listens on")
    print(f"A WebQQ server is at {processes.url}.", flush=True)
    ports = {number: freePort(0) for number in (ECHO, GUEST)}
    config = processes.folder / "onebot.toml"
    config.write_text(
        "".join(
            ACCOUNT.format(number=number, port=port, url=processes.url)
            for number, port in ports.items()
        ),
        encoding="utf-8",
    )
    token = processes.secret("token", TOKEN)
    for number in ports:
        processes.password(number)
    onebot = processes.twistd("onebot", "webqq-onebot", "--config", str(config))
    signedOn = [f"Signed on (account {number}" for number in ports]
    await untilLogged(reactor, onebot, *signedOn)
    urls = {number: f"ws://127.0.0.1:{port}/" for number, port in ports.items()}
    print(
        f"twistd webqq-onebot has signed on Echo and Guest: OneBot 11 at {urls[ECHO]}"
        f" and {urls[GUEST]}",
        flush=True,
    )
    echo = processes.twistd(
        "echo",
        "webqq",
        "--onebot",
        urls[ECHO],
        "--token-file",
        str(token),
        "--account",
        str(ECHO),
        "--app",
        "echo.EchoFactory",
    )
    await untilLogged(reactor, echo, f"Signed on (account {ECHO}")
    print("echo.py, the bot of the README, has signed on to Echo.", flush=True)
    guest = processes.run(
        "nonebot", python, "demo_nonebot.py", URL=urls[GUEST], TOKEN=TOKEN
    )
    await guest.until(guest.firstLine)
    alice = processes.client("alice", 10001, "TeaFactory")
    await alice.until(alice.ended)
    if alice.exitCode:
        raise RuntimeError(f"Alice ended with {alice.exitCode}")
    for process in (server, onebot, echo, guest):
        if process.exitCode is not None:
            raise RuntimeError(f"{process.name} has ended by itself")


async def invite(reactor: IReactorTime, processes: DemoProcesses, once: bool) -> None:
    """
    Print the command to join the demo.

    @param once: whether nobody joins it.
    """
    if once:
        return
    print(
        f"""
The server and both bots keep running. Speak to them with any program for WebQQ as Alice
(10001, password {processes.passwords[10001]!r}), or see what they say:

    TXWEBQQ_PASSWORD={processes.passwords[10001]!r} {TWISTD} -n webqq \\
        --account 10001 --server {processes.url} --log-text

Press Ctrl-C to end the demo.""",
        flush=True,
    )


def main() -> None:
    """
    Run the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end after the conversation"
    )
    parser.add_argument(
        "--nonebot",
        metavar="PYTHON",
        required=True,
        help="the Python of an environment with nonebot2[websockets] and"
        " nonebot-adapter-onebot",
    )
    options = parser.parse_args()

    async def play(reactor: IReactorTime, processes: DemoProcesses) -> None:
        await converse(reactor, processes, options.nonebot)

    react(lambda r: Deferred.fromCoroutine(run(r, options.once, play, invite)))


if __name__ == "__main__":
    main()
