"""
The clients of compatibility.md, each by what was seen of it on the wire: how
it signs on, asks for its lists, polls and speaks, whole conversations long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from tests.server.harness import ALICE, BOB, PASSWORDS, Response, ServerHarness, textsOf
from txwebqq.model import Status
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

Members = dict[str, object]
Form = Callable[[Members], str]


def first(members: Members) -> str:
    """
    C{r} before the fields that repeat two of its members.
    """
    return f"{only(members)}&{rest(members)}"


def last(members: Members) -> str:
    """
    C{r} after them.
    """
    return f"{rest(members)}&{only(members)}"


def only(members: Members) -> str:
    """
    C{r} alone.
    """
    return "r=" + quote(json.dumps(members), safe="")


def raw(members: Members) -> str:
    """
    C{r} as it is, not encoded.
    """
    return "r=" + json.dumps(members)


def swallowed(members: Members) -> str:
    """
    C{r} with the other fields encoded into it.
    """
    return "r=" + quote(f"{json.dumps(members)}&{rest(members)}", safe="")


def rest(members: Members) -> str:
    """
    The fields beside C{r}.
    """
    psessionid = members.get("psessionid") or "null"
    return f"clientid={members.get('clientid', '')}&psessionid={psessionid}"


@dataclass(frozen=True)
class Client:
    """
    The peculiarities of a client.

    @ivar form: how it writes bodies; C{poll} and C{login} where those differ.
    @ivar first: the C{psessionid} of its first C{login2}, or nothing at all.
    @ivar cookies: whether it sends any after the login.
    @ivar content: what it writes for the text C{hi}, and what arrives.
    @ivar query: what it adds to the questions of the login.
    @ivar send: its name of the request that sends a message.
    """

    name: str
    form: Form = first
    clientid: object = "47283951"
    first: Members = field(default_factory=lambda: {"psessionid": None})
    poll: Form | None = None
    login: Form | None = None
    cookies: str = "ptwebqq={0}; uin=o0000010001; skey=@x"
    content: str = '["hi",["font",{"name":"宋体","size":"10","style":[0,0,0]}]]'
    hash: str = ""
    query: str = ""
    msgId: object = 91310001
    send: str = "send_buddy_msg2"
    headers: Mapping[str, str] = field(default_factory=dict)


CLOSE = {"Connection": "close"}
SET_COOKIES = (
    "pt2gguin=o0000010001; EXPIRES=Fri, 02-Jan-2032 00:00:00 GMT; PATH=/; "
    "DOMAIN=qq.com;,ptwebqq={0}; PATH=/; DOMAIN=qq.com;; HttpOnly; skey=@x"
)

CLIENTS = [
    Client("webqq-cli", cookies="", content='["hi",[]]', headers=CLOSE),
    Client("webqq-console", content='["hi",[]]', hash="06020D0D"),
    Client("pywebqq", content='["hi"]', hash="06020D0D"),
    Client(
        "libwebqq",
        clientid="98403775",
        cookies="",
        headers={"Connection": "TE", "TE": "gzip"},
    ),
    Client("libgwebqq", form=swallowed, login=first, first={"psessionid": "null"}),
    Client(
        "lwqq 0.4.1",
        form=raw,
        poll=only,
        clientid="41 32585",
        first={"psessionid": ""},
        hash="A3FBACAB",
    ),
    Client("twqq", form=last, hash="06020D0D", msgId="91310001"),
    Client(
        "xhan/qqbot",
        cookies=SET_COOKIES,
        query="&login_sig=stale&js_ver=10034",
        hash="06020D0D",
    ),
    Client(
        "atupal/webqq",
        query="&js_ver=10017&js_type=0&login_sig=stale",
        hash="574507430F685E3E",
    ),
    Client(
        "jWebQQ",
        form=only,
        first={"status": "0"},
        cookies=SET_COOKIES,
        send="send_msg2",
    ),
    Client(
        "webqq-core",
        clientid=-126429035,
        first={},
        headers={"Cookie2": "$Version=1"},
        hash="06020D0D",
    ),
    Client("lower-case names", form=raw, headers={"connection": "close"}),
]


class Run:
    """
    A client that runs.
    """

    def __init__(self, client: Client, harness: ServerHarness) -> None:
        self.client = client
        self.harness = harness
        self.ptwebqq = ""
        self.ticket: Members = {}

    @property
    def headers(self) -> dict[str, str]:
        cookie = self.client.cookies.format(self.ptwebqq)
        return {**self.client.headers, **({"Cookie": cookie} if cookie else {})}

    def logIn(self) -> None:
        """
        From C{check} to the landing page, by the bytes that clients cut out.
        """
        more = self.client.query
        check = self.harness.get(f"/check?uin={ALICE}&appid=1003903&r=0.1{more}")
        text = check.response.body.decode()
        assert text.startswith("ptui_checkVC('0','")
        assert text.endswith(");")
        found = re.findall("'(.*?)'", text)
        assert len(found) == 3
        p = passwordDigest(passwordHash(PASSWORDS[ALICE]), saltFor(ALICE), found[1])
        query = f"u={ALICE}&p={p}&verifycode={found[1]}&webqq_type=10&aid=1003903{more}"
        login = self.harness.get(f"/login?{query}", self.client.headers).response
        shape = rb"ptuiCB\('0','0','(http[^']+)','0','[^']*', '[^']*'\);\r\n"
        landing = re.fullmatch(shape, login.body)
        assert landing is not None
        self.login = login
        self.ptwebqq = login.cookies["ptwebqq"]
        path = re.sub("^https?://[^/]+", "", landing[1].decode())
        landed = self.harness.get(path, self.headers).response
        assert (landed.status, landed.body.strip()) == (302, b"0")

    def post(self, path: str, form: Form, members: Members) -> Response:
        """
        Ask, and see that the answer has what HTTP parsers of the day need.
        """
        wire = self.harness.post(f"/channel/{path}", form(members), self.headers)
        assert wire.response.all("Content-Length") == [str(len(wire.response.body))]
        assert not wire.response.all("Content-Encoding")
        assert not wire.response.all("Transfer-Encoding")
        return wire.response

    def join(self) -> None:
        """
        C{login2}.
        """
        members = {
            "status": "online",
            "ptwebqq": self.ptwebqq,
            "passwd_sig": "",
            "clientid": self.client.clientid,
            **self.client.first,
        }
        result = self.post(
            "login2", self.client.login or self.client.form, members
        ).result
        self.vfwebqq = result["vfwebqq"]
        self.ticket = {
            "clientid": self.client.clientid,
            "psessionid": result["psessionid"],
        }

    def list(self, path: str) -> Response:
        """
        Ask for a list.
        """
        members: Members = {"h": "hello", "vfwebqq": self.vfwebqq}
        if self.client.hash:
            members["hash"] = self.client.hash
        body = "r=" + quote(json.dumps(members))
        return self.harness.post(f"/api/{path}", body, self.headers).response

    def poll(self) -> Response:
        """
        Take what waits.
        """
        form = self.client.poll or self.client.form
        return self.post("poll2", form, {**self.ticket, "key": 0, "ids": []})

    def say(self, uin: int, content: str) -> Response:
        """
        Send a message to a friend.
        """
        members: Members = {
            "to": uin,
            "face": 570,
            "content": content,
            "msg_id": self.client.msgId,
            **self.ticket,
        }
        return self.post(self.client.send, self.client.form, members)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_conversation(client: Client) -> None:
    """
    Each client signs on, sees its friends and groups, sends and receives
    messages.
    """
    harness = ServerHarness()
    bob = harness.client(BOB)
    run = Run(client, harness)
    run.logIn()
    run.join()
    friends = run.list("get_user_friends2").result
    names = {person["nick"]: person["uin"] for person in friends["info"]}
    assert {"friends", "marknames", "categories", "info"} <= set(friends)
    groups = run.list("get_group_name_list_mask2").result
    assert {"gnamelist", "gmasklist", "gmarklist"} <= set(groups)
    bob.tell(ALICE, 'quote " and \\')
    assert textsOf(run.poll()) == ['quote " and \\']
    [uin] = (names[name] for name in names if name.startswith("Bob"))
    said = run.say(uin, client.content).json
    assert (said["retcode"], said["result"]) == (0, "ok")
    bob.catchUp()
    assert textsOf(bob.poll().response) == ["hi"]


@pytest.mark.parametrize("status", ["", "0", 0])
def test_noStatus(status: object) -> None:
    """
    A client that opens its session without a status, or with the number 0, is
    online.
    """
    harness = ServerHarness()
    run = Run(Client("any", first={"status": status}), harness)
    run.logIn()
    run.join()
    session = harness.state.sessions.online(ALICE)
    assert session is not None
    assert session.status is Status.ONLINE


def test_lastCookie() -> None:
    """
    A client that keeps only the last cookie of each domain, as one HTTP library
    does, has the C{ptwebqq} of its login.
    """
    harness = ServerHarness()
    run = Run(Client("twqq"), harness)
    run.logIn()
    jar = {}
    for line in run.login.all("Set-Cookie"):
        pair, *attributes = line.rstrip(";").split("; ")
        [domain] = (text for text in attributes if text.startswith("DOMAIN="))
        jar[domain] = pair
    assert jar["DOMAIN=qq.com"] == f"ptwebqq={run.ptwebqq}"
    run.join()


def test_unescapedLists() -> None:
    """
    The lists of C{s.web2.qq.com} have Chinese names in UTF-8, as Tencent's had,
    since some clients show the escapes; events have them escaped.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE).catchUp(), harness.client(BOB)
    friends = alice.lookUp("get_user_friends2")
    assert "同学".encode() in friends.body
    assert friends.all("Content-Type") == ["text/plain; charset=utf-8"]
    bob.tell(ALICE, "你好")
    assert rb"\u4f60\u597d" in alice.poll().raw


def test_olderNames() -> None:
    """
    Messages that are sent by the names of WebQQ 2.0 arrive.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB).catchUp()
    content = '["hi",["font",{}]]'
    said = alice.channel("send_msg2", to=alice.uin(BOB), content=content)
    assert said.json["retcode"] == 0
    said = alice.channel("send_group_msg2", group_uin=alice.gid, content=content)
    assert said.json["retcode"] == 0
    assert textsOf(bob.poll().response) == ["hi", "hi"]


@pytest.mark.parametrize("name", ["webqq-cli", "webqq-console", "pywebqq"])
def test_unescaped(name: str) -> None:
    """
    A client that does not escape the text in C{content} is understood.
    """
    [client] = [client for client in CLIENTS if client.name == name]
    harness = ServerHarness()
    bob = harness.client(BOB).catchUp()
    run = Run(client, harness)
    run.logIn()
    run.join()
    bob.catchUp()
    friends = run.list("get_user_friends2").result["info"]
    [uin] = (person["uin"] for person in friends if person["nick"].startswith("Bob"))
    assert run.say(uin, '["a \\ "b" c",[]]').json["retcode"] == 0
    assert textsOf(bob.poll().response) == ['a \\ "b" c']


def test_abandonedAtThirtySeconds() -> None:
    """
    A client that closes each poll after thirty seconds misses nothing that
    came in between, and its next poll has it once.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB)
    bob.poll()
    alice.catchUp()
    for _ in range(3):
        wire = alice.poll()
        harness.clock.advance(30.0)
        assert not wire.isAnswered
        wire.close()
    bob.tell(ALICE, "still there?")
    assert textsOf(alice.poll().response) == ["still there?"]
    later = alice.poll()
    harness.clock.advance(51.0)
    assert later.response.json["retcode"] == 102


@pytest.mark.parametrize("psessionid", ["of another run", ""])
def test_notHot(psessionid: str) -> None:
    """
    A client that polls again at once after an error gets one answer a second.
    """
    harness = ServerHarness()
    alice = harness.client(ALICE)
    alice.psessionid = psessionid
    for _ in range(5):
        wire = alice.poll()
        harness.clock.advance(0.9)
        assert not wire.isAnswered
        harness.clock.advance(0.2)
        assert wire.response.json["retcode"] != 0
