"""
A WebQQ client in plain requests, which acknowledges as it is told to: for tests
of what a server owes to clients that are not ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import quote, urlencode

from tests.messages import Asker
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

CLIENTID = "47283951"

_EDGE = "between-the-parts"

MESSAGES = frozenset({"message", "group_message", "discu_message", "sess_message"})
"""The events that have ids to acknowledge them by."""

_FONT = ["font", {"name": "Arial", "size": "10", "style": [0, 0, 0], "color": "000"}]


class Habit(Enum):
    """
    The way in which a client acknowledges.
    """

    ACK = "ack"
    IDS = "ids"
    NEITHER = "neither"


class Refused(Exception):
    """
    The server said no.

    @ivar retcode: its code.
    """

    def __init__(self, retcode: int) -> None:
        super().__init__(f"retcode {retcode}")
        self.retcode = retcode


@dataclass
class RawSession:
    """
    One sign-on: its ids, and what it calls people and places.

    @ivar friends: the uins of friends, by number.
    @ivar members: those of the members of the group that is shared with all.
    @ivar groups: gids by number, and C{codes} theirs.
    @ivar discussions: dids by name.
    """

    psessionid: str
    vfwebqq: str
    skey: str
    friends: dict[int, int] = field(default_factory=dict)
    members: dict[int, int] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    codes: dict[int, int] = field(default_factory=dict)
    discussions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """
    A request that is ready to be sent.
    """

    method: str
    target: str
    body: bytes = b""


@dataclass(frozen=True)
class Polled:
    """
    The answer to a poll.

    @ivar retcode: its code.
    @ivar events: the new ones, oldest first.
    """

    retcode: int
    events: tuple[dict[str, Any], ...] = ()


class RawClient:
    """
    An account, its present session, and what it has to acknowledge.

    People are expected to have their number for a nick, and groups for a name.

    @param direct: asks everything but polls.
    @param polling: asks the polls.
    @param common: the number of a group that everybody is in, 0 for none.
    @ivar last: the number of the last reply that was handled.
    @ivar shown: the ids of messages that the server was not told of.
    @ivar complaints: breaches of what a server promises about numbers.
    """

    def __init__(
        self,
        number: int,
        password: str,
        habit: Habit,
        direct: Asker,
        polling: Asker,
        common: int = 0,
    ) -> None:
        self.number = number
        self.habit = habit
        self.direct = direct
        self.polling = polling
        self.session: RawSession | None = None
        self.last = 0
        self.shown: list[str] = []
        self.complaints: list[str] = []
        self._password = password
        self._common = common
        self._ptwebqq = ""
        self._messageId = 1000
        # Replies of this session, by their numbers.
        self._replies: dict[int, Any] = {}

    # ---- asking

    async def ask(self, question: Question) -> Any:
        """
        Perform one exchange.

        @return: the C{result}.
        @raise Refused: for any other code than 0.
        """
        message = await self.direct.ask(question.method, question.target, question.body)
        answer = json.loads(message.body)
        if answer["retcode"] != 0:
            raise Refused(answer["retcode"])
        return answer.get("result")

    def _live(self) -> RawSession:
        if self.session is None:
            raise Refused(121)
        return self.session

    def channelPost(self, name: str, **members: Any) -> Question:
        """
        A C{POST} to the channel's server.
        """
        return _post(
            f"/channel/{name}",
            clientid=CLIENTID,
            psessionid=self._live().psessionid,
            **members,
        )

    def channelGet(self, name: str, **fields: Any) -> Question:
        """
        A C{GET} to the channel's server.
        """
        query = urlencode(
            {
                **fields,
                "clientid": CLIENTID,
                "psessionid": self._live().psessionid,
                "t": 1,
            }
        )
        return Question("GET", f"/channel/{name}?{query}")

    def apiPost(self, name: str, **members: Any) -> Question:
        """
        A C{POST} to the API server.
        """
        return _post(f"/api/{name}", vfwebqq=self._live().vfwebqq, **members)

    def apiGet(self, path: str, **fields: Any) -> Question:
        """
        A C{GET} to the API server, or to any path with its ticket.
        """
        query = urlencode({**fields, "vfwebqq": self._live().vfwebqq, "t": 1})
        return Question("GET", f"{path}?{query}")

    # ---- signing on and off

    async def signOn(self) -> None:
        """
        Sign on, and learn what the session calls everybody.
        """
        self.session = None
        self._replies.clear()
        check = await self.direct.ask(
            "GET", f"/check?uin={self.number}&appid=1003903&r=0.1"
        )
        code = re.findall("'(.*?)'", check.body.decode())[1]
        first = passwordHash(self._password)
        query = urlencode(
            {
                "u": self.number,
                "p": passwordDigest(first, saltFor(self.number), code),
                "verifycode": code,
                "webqq_type": 10,
                "aid": 1003903,
            }
        )
        login = await self.direct.ask("GET", f"/login?{query}")
        cookies = dict(
            value.split(";")[0].split("=", 1) for value in login.all("set-cookie")
        )
        if "ptwebqq" not in cookies:
            raise Refused(-1)
        self._ptwebqq = cookies["ptwebqq"]
        result = await self._join(None)
        self.session = RawSession(
            result["psessionid"], result["vfwebqq"], cookies.get("skey", "")
        )
        await self._learn()

    async def relink(self) -> None:
        """
        Take the session up again; it goes on calling everybody the same.
        """
        session = self._live()
        result = await self._join(session.psessionid)
        self.session = replace(
            session, psessionid=result["psessionid"], vfwebqq=result["vfwebqq"]
        )

    async def _join(self, psessionid: str | None) -> Any:
        return await self.ask(
            _post(
                "/channel/login2",
                status="online",
                ptwebqq=self._ptwebqq,
                passwd_sig="",
                clientid=CLIENTID,
                psessionid=psessionid,
            )
        )

    async def _learn(self) -> None:
        session = self._live()
        found = await self.ask(self.apiPost("get_user_friends2", h="hello"))
        session.friends = {int(one["nick"]): one["uin"] for one in found["info"]}
        found = await self.ask(self.apiPost("get_group_name_list_mask2"))
        for one in found["gnamelist"]:
            session.groups[int(one["name"])] = one["gid"]
            session.codes[int(one["name"])] = one["code"]
        found = await self.ask(
            self.channelGet("get_discu_list_new2", vfwebqq=session.vfwebqq)
        )
        session.discussions = {one["name"]: one["did"] for one in found["dnamelist"]}
        if self._common:
            found = await self.ask(
                self.apiGet(
                    "/api/get_group_info_ext2", gcode=session.codes[self._common]
                )
            )
            session.members = {int(one["nick"]): one["uin"] for one in found["minfo"]}

    async def signOff(self) -> None:
        """
        Sign off, and acknowledge by that.
        """
        fields: dict[str, Any] = {"ids": ""}
        if self.habit is Habit.ACK:
            fields["ack"] = self.last
        elif self.habit is Habit.IDS:
            fields["ids"] = ",".join(self.shown)
        question = self.channelGet("logout2", **fields)
        self.session = None
        await self.ask(question)
        self.shown.clear()

    # ---- polls

    async def poll(self) -> Polled:
        """
        Ask for events, and acknowledge those of the polls before.
        """
        session = self._live()
        members: dict[str, Any] = {
            "clientid": CLIENTID,
            "psessionid": session.psessionid,
            "key": 0,
            "ids": list(self.shown),
        }
        told = len(self.shown)
        if self.habit is Habit.ACK:
            members["ack"] = self.last
        question = _post("/channel/poll2", **members)
        message = await self.polling.ask("POST", question.target, question.body)
        answer = json.loads(message.body)
        retcode = answer["retcode"]
        if retcode in (0, 102):
            del self.shown[:told]
        if retcode == 116:
            self._ptwebqq = answer["p"]
        if retcode != 0:
            return Polled(retcode)
        return Polled(0, self._take(answer, answer["result"]))

    def _take(
        self, answer: dict[str, Any], events: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], ...]:
        number = answer.get("ack")
        if self.habit is not Habit.ACK:
            if number is not None:
                self._complain("was given a number that it did not ask for")
            if self.habit is Habit.IDS:
                self.shown += [
                    str(event["value"]["msg_id"])
                    for event in events
                    if event["poll_type"] in MESSAGES
                ]
            return tuple(reversed(events))
        if events and events[0]["poll_type"] == "kick_message":
            return tuple(events)
        if number is None:
            self._complain("was given events without a number")
            return tuple(reversed(events))
        if self._replies.setdefault(number, events) != events:
            self._complain(f"was given reply {number} twice, with other events")
        if number <= self.last:
            return ()
        self.last = number
        return tuple(reversed(events))

    def _complain(self, text: str) -> None:
        if text not in self.complaints:
            self.complaints.append(text)

    # ---- saying things

    def _content(self, text: str) -> str:
        return json.dumps([text, _FONT])

    def _say(self, name: str, text: str, **members: Any) -> Question:
        self._messageId += 1
        return self.channelPost(
            name, content=self._content(text), msg_id=self._messageId, **members
        )

    def toFriend(self, number: int, text: str) -> Question:
        """
        Words to a friend.
        """
        uin = self._live().friends[number]
        return self._say("send_buddy_msg2", text, to=uin, face=0)

    def toGroup(self, number: int, text: str) -> Question:
        """
        Words in a group.
        """
        gid = self._live().groups[number]
        return self._say("send_qun_msg2", text, group_uin=gid)

    def toDiscussion(self, name: str, text: str) -> Question:
        """
        Words in a discussion.
        """
        did = self._live().discussions[name]
        return self._say("send_discu_msg2", text, did=str(did))

    async def toStranger(self, number: int, text: str) -> Question:
        """
        Words to a member of the common group.
        """
        session = self._live()
        uin = session.members[number]
        signature = await self.ask(
            self.channelGet(
                "get_c2cmsg_sig2",
                id=session.groups[self._common],
                to_uin=uin,
                service_type=0,
            )
        )
        return self._say(
            "send_sess_msg2",
            text,
            to=uin,
            group_sig=signature["value"],
            face=0,
            service_type=0,
        )

    def sign(self, text: str) -> Question:
        """
        Another signature, which friends are told of.
        """
        return self.apiPost("set_long_nick2", nlk=text)

    async def leaveFile(self, number: int, name: str) -> Question:
        """
        A file for a friend, which is on the server when this is ready.
        """
        session = self._live()
        fields = {"uin": self.number, "skey": session.skey, "fileid": 1}
        parts = [
            f'--{_EDGE}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}'
            for key, value in {**fields, "vfwebqq": session.vfwebqq}.items()
        ]
        parts.append(
            f'--{_EDGE}\r\nContent-Disposition: form-data; name="file";'
            f' filename="{name}"\r\n\r\n{name}\r\n--{_EDGE}--\r\n'
        )
        message = await self.direct.ask(
            "POST",
            "/ftn_access/upload_offline_file?time=1",
            "\r\n".join(parts).encode(),
            f"Content-Type: multipart/form-data; boundary={_EDGE}",
        )
        text = message.body.decode()
        answer, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
        if answer["retcode"] != 0:
            raise Refused(answer["retcode"])
        uin = session.friends[number]
        return self.channelPost(
            "send_offfile2",
            to=uin,
            to_uin=uin,
            file_path=answer["filepath"],
            filename=name,
        )

    async def askFriendship(self, number: int, text: str) -> Question:
        """
        A request to be friends.
        """
        found = await self.ask(
            self.apiGet(
                "/api/search_qq_by_uin2", tuin=number, verifysession="", code=""
            )
        )
        return self.apiPost(
            "add_need_verify2",
            account=number,
            myallow=1,
            groupid=0,
            msg=text,
            token=found["token"],
        )

    def refuseFriendship(self, number: int, text: str) -> Question:
        """
        The refusal of such a request.
        """
        return self.apiPost("deny_added_request2", account=number, msg=text)

    async def apply(self, group: int, text: str) -> Question:
        """
        A request to be let into a group.
        """
        found = await self.ask(
            self.apiGet(
                "/keycgi/qqweb/group/search.do",
                pg=1,
                perpage=10,
                all=group,
                c1=0,
                c2=0,
                c3=0,
                st=0,
                vfcode="",
                type=1,
            )
        )
        return self.apiPost(
            "apply_join_group2", gcode=found[0]["GEX"], code="", vfy="", msg=text
        )

    def turnDown(self, group: int, number: int, text: str) -> Question:
        """
        The refusal of such a request.
        """
        session = self._live()
        return self.channelGet(
            "op_group_join_req",
            group_uin=session.groups[group],
            req_uin=session.members[number],
            msg=text,
            op_type=3,
        )


def _post(target: str, **members: Any) -> Question:
    body = f"r={quote(json.dumps(members))}"
    for name in ("clientid", "psessionid"):
        if isinstance(members.get(name), str):
            body += f"&{name}={members[name]}"
    return Question("POST", target, body.encode())
