"""
An IRC client of pydle, as a program: it writes what its callbacks are given, and
sends the lines C{target text} that it reads.
"""

from __future__ import annotations

import asyncio
import os
import sys

import pydle


class ReportingClient(pydle.Client):
    """
    Writes joins and messages, with the sender's nick.
    """

    async def on_join(self, channel: str, user: str) -> None:
        await super().on_join(channel, user)
        _report(f"{user} has joined {channel}")

    async def on_channel_message(self, target: str, by: str, message: str) -> None:
        await super().on_channel_message(target, by, message)
        _report(f"channel {target} <{by}> {message}")

    async def on_private_message(self, target: str, by: str, message: str) -> None:
        await super().on_private_message(target, by, message)
        _report(f"private {target} <{by}> {message}")


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _run(nick: str, port: int) -> None:
    client = ReportingClient(nick)
    password = os.environ.pop("IRC_PASSWORD")
    await client.connect("127.0.0.1", port, password=password)
    while line := await asyncio.to_thread(sys.stdin.readline):
        target, _, text = line.rstrip("\n").partition(" ")
        await client.message(target, text)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], int(sys.argv[2])))
