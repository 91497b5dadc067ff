"""
Files of two processes with one database and one folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.server.fleet.harness import FleetHarness
from tests.server.forms import JPG, form, storedOf, upload
from tests.server.harness import ALICE, BOB, HTTPClient
from txwebqq.server.resource import CLEAN
from txwebqq.server.uploadquotas import FULL, TOO_MANY, FileLimits

DAY = 24 * 3600


def sent(pair: FleetHarness, alice: HTTPClient) -> None:
    """
    Upload a file, and send it to Bob.
    """
    before = {"uin": str(ALICE), "skey": alice.skey}
    tail = {"fileid": "1", "vfwebqq": alice.vfwebqq}
    body = form(before, "file", "a.jpg", JPG, tail)
    wire = upload(pair, "/ftn_access/upload_offline_file?time=1", body)
    path = storedOf(wire.response)["filepath"]
    to = alice.uin(BOB)
    alice.channel("send_offfile2", to=to, file_path=path, filename="a.jpg")


def filesIn(pair: FleetHarness) -> list[Path]:
    return [path for path in pair._folder.rglob("*") if path.is_file()]


def test_otherProcess(pair: FleetHarness) -> None:
    """
    A file that one process has received is sent by the other, which has it in the
    history, and nothing is left of the upload; a file for another client is refused
    as for a friend who is offline.
    """
    alice, bob = pair.client(ALICE), pair.client(BOB)
    alice.catchUp()
    bob.catchUp()
    pair.target = 0
    sent(pair, alice)
    pair.target = 1
    (event,) = bob.poll().response.result
    key = event["value"]["rkey"]
    assert pair.get(f"/a.jpg?ver=2173&rkey={key}").response.body == JPG
    target = f"/channel/get_history2?type=0&uin={bob.uin(ALICE)}"
    ticket = f"&clientid={bob.clientid}&psessionid={bob.psessionid}"
    (past,) = pair.get(target + ticket).response.result["files"]
    assert (past["rkey"], past["name"], past["fetched"]) == (key, "a.jpg", 1)
    assert len(filesIn(pair)) == 1
    assert pair.get("/v2/1/2/3/0/0/1/f/1/0/0").response.json["retcode"] == 102
    alice.poll()


def test_expires(pair: FleetHarness) -> None:
    """
    A file that has expired is deleted an hour after nothing refers to it.
    """
    alice = pair.client(ALICE)
    sent(pair, alice)
    # The clock of the test is behind that of the file.
    os.utime(filesIn(pair)[0], (1, 1))
    pair.clock.advance(7 * DAY + CLEAN)
    assert len(filesIn(pair)) == 1
    for _ in range(3):
        pair.clock.advance(CLEAN)
    assert filesIn(pair) == []


def test_address(pair: FleetHarness) -> None:
    """
    The uploads of an address at both processes are counted together, for a day, in
    files and in bytes; those that are refused are not.
    """
    alice, bob = pair.client(ALICE), pair.client(BOB)

    def send(client: HTTPClient, n: int, size: int = 100) -> int:
        pair.target = n
        before = {"uin": str(client.number), "skey": client.skey}
        tail = {"fileid": "1", "vfwebqq": client.vfwebqq}
        body = form(before, "file", "a.txt", bytes(size), tail)
        wire = upload(pair, "/ftn_access/upload_offline_file?time=1", body)
        code: int = storedOf(wire.response)["retcode"]
        return code

    def limit(limits: FileLimits) -> None:
        for each in pair.processes:
            each.resource._uploads.setLimits(limits)

    limit(FileLimits(dailyCount=3, addressFactor=1, file=5000))
    codes = [send(alice, 0), send(bob, 1), send(alice, 1, 9000), send(alice, 1)]
    assert codes == [0, 0, -30003, 0]
    assert [send(bob, 0), send(bob, 1)] == [TOO_MANY] * 2
    limit(FileLimits(daily=10_000, addressFactor=1))
    assert [send(bob, 1, 9000), send(alice, 0, 9000)] == [0, FULL]
    pair.clock.advance(DAY + 1)
    alice, bob = pair.client(ALICE), pair.client(BOB)
    assert [send(alice, 1, 5000), send(bob, 0, 5000)] == [0, FULL]
