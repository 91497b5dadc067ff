"""
Encoding and decoding of events, and the events that protocol.md 5 quotes.
"""

from __future__ import annotations

import json
import typing
from typing import Any

import pytest

from tests.wire.rows import BO, LIN, ME, QIU, TEAHOUSE, TEAHOUSE_CODE
from txwebqq.model import (
    OWNER_CHANGED,
    REMOVED,
    CallRequest,
    CardChanged,
    Code,
    CustomFace,
    Did,
    DiscussionMessage,
    Event,
    Face,
    FileNotice,
    FileStep,
    Font,
    FriendEdited,
    FriendshipNotice,
    FriendshipStep,
    Gid,
    GroupEdited,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupPicture,
    GroupStep,
    GroupWebMessage,
    JoinRequestAnswered,
    KickNotice,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    Number,
    OfflineFile,
    OfflineFileNotice,
    Reaction,
    RosterChange,
    Shake,
    Status,
    StatusChange,
    StrangerMessage,
    Text,
    Tip,
    TransferProgress,
    TransferredFile,
    Typing,
    Uin,
    UnknownEvent,
    UnknownSegment,
)
from txwebqq.wire.commands.messages import Poll2, PollResult
from txwebqq.wire.events.envelope import CODECS, decodeEnvelope, encodeEvent, pollTypeOf
from txwebqq.wire.jsontext import encodeJSON

GROUP_NUMBER = Number(245890123)
DISCUSSION = Did(2006655441)

# The members of the extensions that all of them have.
NOTICED: Any = {
    "time": 1366004055,
    "recipient": ME,
    "messageId": 13664,
    "messageId2": 886023,
}

# Events as protocol.md prints them, and as they are decoded.
QUOTED: list[tuple[str, Event]] = [
    (
        """
{"poll_type":"message","value":{"msg_id":10171,"from_uin":2963008411,"to_uin":300100200,
 "msg_id2":158459,"msg_type":9,"reply_ip":176498310,"time":1366004047,
 "content":[["font",{"size":9,"color":"000000","style":[0,0,0],"name":"\\u5B8B\\u4F53"}],"\\u4E2D\\u5348\\u5462 "]}}
""",  # noqa: E501
        Message(LIN, ME, (Text("中午呢"),), 1366004047, 10171, 158459, Font(size=9)),
    ),
    (
        """
{"poll_type":"message","value":{"msg_id":10171,"from_uin":2963008411,"to_uin":300100200,"msg_id2":158459,"msg_type":9,"reply_ip":176498310,"time":1366004120,"content":[["font",{"size":9,"color":"000000","style":[0,0,0],"name":"\\u5B8B\\u4F53"}],"hi ",["face",14]," "]}}
""",  # noqa: E501
        Message(
            LIN,
            ME,
            (Text("hi "), Face(14)),
            1366004120,
            10171,
            158459,
            Font(size=9),
        ),
    ),
    (
        """
{"poll_type":"group_message","value":{"msg_id":13663,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886022,"msg_type":43,"reply_ip":176756826,"group_code":1821777555,"send_uin":2417766001,
 "seq":27,"time":1366004050,"info_seq":245890123,
 "content":[["font",{"size":13,"color":"004faa","style":[0,0,0],"name":"STKaiti"}],"ooo "]}}
""",  # noqa: E501
        GroupMessage(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            sender=QIU,
            recipient=ME,
            content=(Text("ooo"),),
            time=1366004050,
            messageId=13663,
            messageId2=886022,
            sequence=27,
            font=Font("STKaiti", 13, color="004faa"),
        ),
    ),
    (
        """
{"poll_type":"discu_message","value":{"msg_id":18803,"from_uin":10000,"to_uin":300100200,
 "msg_id2":175418,"msg_type":42,"reply_ip":176488598,"did":2006655441,"send_uin":2963008411,
 "seq":8,"time":1366004060,"info_seq":2,
 "content":[["font",{"size":8,"color":"000000","style":[0,0,0],"name":"Tahoma"}],"test "]}}
""",  # noqa: E501
        DiscussionMessage(
            discussion=DISCUSSION,
            sender=LIN,
            recipient=ME,
            content=(Text("test"),),
            time=1366004060,
            messageId=18803,
            messageId2=175418,
            sequence=8,
            version=2,
            font=Font("Tahoma", 8),
        ),
    ),
    (
        """
{"poll_type":"sess_message","value":{"msg_id":7522,"from_uin":2417766001,"to_uin":300100200,
 "msg_id2":369799,"msg_type":140,"reply_ip":176882136,"time":1366004070,"id":3344551122,"ruin":77889900,
 "service_type":0,"flags":{"text":1,"pic":1,"file":1,"audio":1,"video":1},
 "content":[["font",{"size":8,"color":"000000","style":[0,0,0],"name":"Tahoma"}],"test "]}}
""",  # noqa: E501
        StrangerMessage(
            sender=QIU,
            recipient=ME,
            place=TEAHOUSE,
            service=0,
            number=Number(77889900),
            content=(Text("test"),),
            time=1366004070,
            messageId=7522,
            messageId2=369799,
            font=Font("Tahoma", 8),
        ),
    ),
    (
        """
{"poll_type":"buddies_status_change","value":{"uin":2963008411,"status":"online","client_type":1}}
""",
        StatusChange(LIN, Status.ONLINE, 1),
    ),
    (
        """
{"poll_type":"kick_message","value":{"msg_id":30519,"from_uin":10000,"to_uin":300100200,"msg_id2":30520,
 "msg_type":48,"reply_ip":0,"show_reason":1,"reason":"\\u60A8\\u7684\\u5E10\\u53F7\\u5728\\u53E6\\u4E00\\u5730\\u70B9\\u767B\\u5F55"}}
""",
        KickNotice("您的帐号在另一地点登录", True, ME, 30519, 30520),
    ),
    (
        """
{"poll_type":"input_notify","value":{"msg_id":42953,"from_uin":2963008411,"to_uin":300100200,"msg_id2":1813669024,"msg_type":121,"reply_ip":4294967295}}
""",
        Typing(LIN, ME, 42953, 1813669024),
    ),
    (
        """
{"poll_type":"shake_message","value":{"msg_id":26413,"from_uin":2963008411,"to_uin":300100200,"msg_id2":980317,"msg_type":9,"reply_ip":178849323}}
""",
        Shake(LIN, ME, 26413, 980317),
    ),
    (
        """
{"poll_type":"system_message","value":{"seq":34653,"type":"verify_required","uiuin":"","from_uin":3863325290,
 "account":88990011,"msg":"I am Tang","allow":1,"stat":10,"client_type":1}}
""",
        FriendshipNotice(
            FriendshipStep.REQUESTED,
            Uin(3863325290),
            Number(88990011),
            "I am Tang",
            34653,
            allow=1,
            status=Status.ONLINE,
            clientType=1,
        ),
    ),
    (
        """
{"poll_type":"system_message","value":{"seq":37525,"type":"verify_pass","from_uin":431533686,"stat":20}}
""",
        FriendshipNotice(FriendshipStep.PASSED, Uin(431533686), sequence=37525),
    ),
    (
        """
{"poll_type":"buddylist_change","value":{"added_friends":[{"groupid":0,"uin":1754314370}],"removed_friends":[]}}
""",
        RosterChange(((Uin(1754314370), 0),)),
    ),
    (
        """
{"poll_type":"sys_g_msg","value":{"msg_id":5940,"from_uin":3344551122,"to_uin":300100200,"msg_id2":979390,
 "msg_type":33,"reply_ip":176498394,"type":"group_join","gcode":1821777555,"t_gcode":245890123,"op_type":3,
 "new_member":2963008411,"t_new_member":"","admin_uin":2417766001,"admin_nick":"\\u521B\\u5EFA\\u8005"}}
""",
        GroupNotice(
            GroupStep.JOINED,
            TEAHOUSE,
            TEAHOUSE_CODE,
            GROUP_NUMBER,
            ME,
            member=LIN,
            admin=QIU,
            adminTitle="创建者",
            operation=3,
            messageId=5940,
            messageId2=979390,
        ),
    ),
    (
        """
{"poll_type":"sys_g_msg","value":{"msg_id":51488,"from_uin":3344551122,"to_uin":300100200,"msg_id2":180256,
 "msg_type":34,"reply_ip":176882139,"type":"group_leave","gcode":1821777555,"t_gcode":245890123,"op_type":2,
 "old_member":1184002719,"t_old_member":""}}
""",
        GroupNotice(
            GroupStep.LEFT,
            TEAHOUSE,
            TEAHOUSE_CODE,
            GROUP_NUMBER,
            ME,
            member=BO,
            operation=2,
            messageId=51488,
            messageId2=180256,
        ),
    ),
    (
        """
{"poll_type":"sys_g_msg","value":{"msg_id":9564,"from_uin":3344551122,"to_uin":300100200,"msg_id2":366710,
 "msg_type":35,"reply_ip":176884836,"type":"group_request_join","gcode":1821777555,"t_gcode":245890123,
 "request_uin":3904214993,"t_request_uin":"","msg":"hello"}}
""",
        GroupNotice(
            GroupStep.REQUESTED,
            TEAHOUSE,
            TEAHOUSE_CODE,
            GROUP_NUMBER,
            ME,
            member=Uin(3904214993),
            text="hello",
            messageId=9564,
            messageId2=366710,
        ),
    ),
    (
        """
{"poll_type":"sys_g_msg","value":{"msg_id":58825,"from_uin":3344551122,"to_uin":300100200,"msg_id2":584526,
 "msg_type":44,"reply_ip":180061855,"type":"group_admin_op","gcode":1821777555,"t_gcode":245890123,"op_type":1,
 "uin":2963008411,"t_uin":55667788,"uin_flag":1}}
""",
        GroupNotice(
            GroupStep.ADMIN,
            TEAHOUSE,
            TEAHOUSE_CODE,
            GROUP_NUMBER,
            ME,
            member=LIN,
            memberNumber=Number(55667788),
            operation=1,
            messageId=58825,
            messageId2=584526,
        ),
    ),
    (
        """
{"poll_type":"group_web_message","value":{"msg_id":11746,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":556231,"msg_type":45,"reply_ip":176752015,"group_code":1821777555,"group_type":1,"ver":1,
 "send_uin":2417766001,
 "xml":"\\u003c?xml version=\\"1.0\\" encoding=\\"utf-8\\"?\\u003e\\u003cd\\u003e\\u003cn t=\\"b\\"/\\u003e\\u003c/d\\u003e"}}
""",  # noqa: E501
        GroupWebMessage(
            TEAHOUSE,
            TEAHOUSE_CODE,
            QIU,
            '<?xml version="1.0" encoding="utf-8"?><d><n t="b"/></d>',
            ME,
            messageId=11746,
            messageId2=556231,
        ),
    ),
    (
        """
{"poll_type":"file_message","value":{"msg_id":6299,"mode":"recv","from_uin":2963008411,"to_uin":300100200,
 "msg_id2":559004,"msg_type":9,"reply_ip":176621916,"type":101,"name":"test.txt","time":1366004210,
 "session_id":19823,"inet_ip":2051695055}}
""",
        FileNotice(
            FileStep.OFFERED,
            LIN,
            19823,
            ME,
            "test.txt",
            time=1366004210,
            address=2051695055,
            messageId=6299,
            messageId2=559004,
        ),
    ),
    (
        """
{"poll_type":"file_message","value":{"msg_id":6301,"mode":"refuse","from_uin":2963008411,"to_uin":300100200,
 "msg_id2":615845,"reply_ip":176621916,"type":101,"session_id":19823,"cancel_type":1,"time":1366004264}}
""",
        FileNotice(
            FileStep.ENDED,
            LIN,
            19823,
            ME,
            reason=1,
            time=1366004264,
            messageId=6301,
            messageId2=615845,
        ),
    ),
    (
        """
{"poll_type":"filesrv_transfer","value":{"msg_id":6302,"from_uin":2963008411,"to_uin":300100200,"file_count":1,
 "lc_id":1234,"now":235,"operation":2,"type":101,
 "file_infos":[{"file_name":"test.txt","file_status":0,"pro_id":0}]}}
""",
        TransferProgress(
            LIN,
            (TransferredFile("test.txt", 0, 0),),
            1234,
            2,
            235,
            ME,
            messageId=6302,
        ),
    ),
    (
        """
{"poll_type":"push_offfile","value":{"msg_id":10438,"rkey":"2c09344b3146bbdb","ip":"101.226.77.168","port":80,
 "from_uin":2963008411,"size":235,"name":"test2.py","expire_time":1366609121,"time":1366004321}}
""",
        OfflineFile(
            LIN,
            "test2.py",
            235,
            "2c09344b3146bbdb",
            "101.226.77.168",
            80,
            1366609121,
            1366004321,
            10438,
        ),
    ),
    (
        """
{"poll_type":"notify_offfile","value":{"msg_id":9948,"from_uin":2963008411,"to_uin":300100200,"msg_id2":460591,
 "msg_type":9,"reply_ip":178847911,"action":2,"filename":"12.jpg","filesize":137972}}
""",
        OfflineFileNotice(LIN, 2, "12.jpg", 137972, ME, 9948, 460591),
    ),
    # Of these two no capture survives: only the names of their members.
    (
        """
{"poll_type":"tips","value":{"msg_id":7,"from_uin":2963008411,"url":"?run=mySignature","txt3":"Lin\\r\\nready"}}
""",
        Tip(LIN, "?run=mySignature", "Lin\r\nready", 7),
    ),
    (
        (
            '{"poll_type":"av_request","value":{"from_uin":2963008411,"msg_id":8,'
            '"msg_type":9}}'
        ),
        CallRequest(LIN, 8, 9),
    ),
    (
        """
{"poll_type":"message_recalled","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":81,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"send_uin":2417766001,"op_uin":2963008411,"recalled_id":886022}}
""",
        MessageRecalled(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            sender=QIU,
            operator=LIN,
            id=886022,
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"group_mute","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":82,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"muin":2417766001,"op_uin":2963008411,"seconds":600}}
""",
        MemberMuted(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            member=QIU,
            operator=LIN,
            seconds=600,
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"group_poke","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":83,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"send_uin":2417766001,"muin":300100200}}
""",
        MemberPoked(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            sender=QIU,
            target=Uin(ME),
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"group_reaction","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":84,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"send_uin":2417766001,"reacted_id":886022,"face":"\\u2665","op_type":0}}
""",
        Reaction(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            sender=QIU,
            id=886022,
            face=Text("♥"),
            isSet=False,
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"group_file","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":85,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"send_uin":2417766001,"name":"t.txt","size":5,"rkey":"00ff","ip":"192.0.2.1",
 "port":8890,"expire_time":1366608855}}
""",
        GroupFile(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            sender=QIU,
            name="t.txt",
            size=5,
            key="00ff",
            ip="192.0.2.1",
            port=8890,
            expires=1366608855,
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"group_edit","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":88,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"op_uin":2417766001,"memo":"five o'clock","option":1}}
""",
        GroupEdited(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            operator=QIU,
            memo="five o'clock",
            option=1,
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"friend_edit","value":{"uin":2417766001,"nick":"Qiu"}}
""",
        FriendEdited(QIU, "Qiu"),
    ),
    (
        """
{"poll_type":"group_card","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":89,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"muin":2417766001,"op_uin":0,"card":"Lin"}}
""",
        CardChanged(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            member=QIU,
            operator=Uin(0),
            card="Lin",
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"group_request_answered","value":{"msg_id":13664,"from_uin":3344551122,
 "to_uin":300100200,"msg_id2":886023,"msg_type":90,"reply_ip":176498310,"group_code":1821777555,
 "info_seq":245890123,"time":1366004055,"request_uin":2417766001,"op_uin":2963008411,"op_type":3}}
""",
        JoinRequestAnswered(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            applicant=QIU,
            operator=LIN,
            isAccepted=False,
            **NOTICED,
        ),
    ),
    (
        """
{"poll_type":"message_sent","value":{"msg_id":13664,"from_uin":3344551122,"to_uin":300100200,
 "msg_id2":886023,"msg_type":86,"reply_ip":176498310,"group_code":1821777555,"info_seq":245890123,
 "time":1366004055,"to":0,"sent_id":886022,
 "content":[["font",{"size":9,"color":"000000","style":[0,0,0],"name":"\\u5B8B\\u4F53"}],
  "ooo "]}}
""",
        MessageSent(
            group=TEAHOUSE,
            code=TEAHOUSE_CODE,
            number=GROUP_NUMBER,
            to=Uin(0),
            content=(Text("ooo"),),
            id=886022,
            font=Font(size=9),
            **NOTICED,
        ),
    ),
]

# Events that protocol.md does not quote.
OTHERS: list[Event] = [
    Message(
        LIN,
        ME,
        (Text('"quoted" \\ and\n'), CustomFace("5E10.jpg"), UnknownSegment(["x", 1])),
        0,
        1,
        2,
        Font("微软雅黑", 24, italic=True),
        31,
    ),
    GroupMessage(
        TEAHOUSE,
        TEAHOUSE_CODE,
        GROUP_NUMBER,
        QIU,
        ME,
        (GroupPicture("{9982}.jpg", 26101, "kYcHT8iFXBGKgETy", "183.60.50.34:80"),),
        5,
        6,
        7,
    ),
    KickNotice("", False, ME),
    FriendshipNotice(FriendshipStep.PASSED_AND_ADDED, LIN, category=3),
    FriendshipNotice(FriendshipStep.REJECTED, LIN, text="no"),
    FriendshipNotice(FriendshipStep.ADDED, LIN, signature="\x00\x01"),
    FriendshipNotice(FriendshipStep.ADDED_UNSIGNED, LIN),
    RosterChange((), (LIN, BO)),
    GroupNotice(
        GroupStep.CREATED, TEAHOUSE, TEAHOUSE_CODE, GROUP_NUMBER, member=Uin(ME)
    ),
    GroupNotice(
        GroupStep.LEFT,
        TEAHOUSE,
        TEAHOUSE_CODE,
        GROUP_NUMBER,
        member=LIN,
        admin=QIU,
        adminTitle="管理员",
        operation=REMOVED,
    ),
    GroupNotice(
        GroupStep.AGREED, TEAHOUSE, TEAHOUSE_CODE, GROUP_NUMBER, admin=QIU, text="ok"
    ),
    GroupNotice(GroupStep.DENIED, TEAHOUSE, TEAHOUSE_CODE, GROUP_NUMBER, admin=QIU),
    GroupNotice(
        GroupStep.INVITED, TEAHOUSE, TEAHOUSE_CODE, GROUP_NUMBER, admin=QIU, text="来"
    ),
    GroupNotice(
        GroupStep.ADMIN,
        TEAHOUSE,
        TEAHOUSE_CODE,
        GROUP_NUMBER,
        member=LIN,
        previous=QIU,
        operation=OWNER_CHANGED,
    ),
    FileNotice(FileStep.ACCEPTED, LIN, 4096 * 7 + 12, ME),
]


def named(event: Event) -> str:
    """
    Return the name of an event in a report.
    """
    return type(event).__name__


@pytest.mark.parametrize(
    ("envelope", "event"), [pytest.param(e, v, id=named(v)) for e, v in QUOTED]
)
def test_quoted(envelope: str, event: Event) -> None:
    """
    An event of protocol.md is decoded as protocol.md explains it.
    """
    parsed = json.loads(envelope)
    assert decodeEnvelope(parsed) == event
    assert pollTypeOf(event) == parsed["poll_type"]
    body = f'{{"retcode":0,"result":[{envelope}]}}'.encode()
    assert Poll2.decodeReply(body) == PollResult((event,))


@pytest.mark.parametrize(
    ("envelope", "event"), [pytest.param(e, v, id=named(v)) for e, v in QUOTED]
)
def test_members(envelope: str, event: Event) -> None:
    """
    The server's events have all members of the quoted ones, with the same values,
    since clients read them without checking.
    """
    ours, theirs = encodeEvent(event)["value"], json.loads(envelope)["value"]
    # An address inside the original service, and a type of 0 for unknown.
    theirs.pop("reply_ip", None)
    if not theirs.get("client_type", 1):
        theirs.pop("client_type")
    assert ours | theirs == ours


@pytest.mark.parametrize("event", [e for _, e in QUOTED] + OTHERS, ids=named)
def test_bothWays(event: Event) -> None:
    """
    The client decodes the event that the server has encoded.
    """
    wire = json.loads(encodeJSON(encodeEvent(event)))
    assert decodeEnvelope(wire) == event


def test_complete() -> None:
    """
    Every type of event but L{UnknownEvent} has a codec, and is quoted.
    """
    types = set(typing.get_args(Event)) - {UnknownEvent}
    assert types == set(CODECS)
    assert types == {type(event) for _, event in QUOTED}


def test_batch() -> None:
    """
    The events of a reply keep their order.
    """
    events = tuple(event for _, event in QUOTED)
    body = '{"retcode":0,"result":[' + ",".join(e for e, _ in QUOTED) + "]}\n"
    assert Poll2.decodeReply(body.encode()) == PollResult(events)


@pytest.mark.parametrize(
    ("envelope", "event"),
    [
        (
            '{"poll_type":"new_thing","value":{"a":[1]}}',
            UnknownEvent("new_thing", {"a": [1]}),
        ),
        ('{"poll_type":"sys_g_message","value":5}', UnknownEvent("sys_g_message", 5)),
        ('{"poll_type":"","value":null}', UnknownEvent("", None)),
        # Known types with values that they cannot hold.
        ('{"poll_type":"message","value":null}', UnknownEvent("message", None)),
        ('{"poll_type":"message","value":{}}', UnknownEvent("message", {})),
        (
            '{"poll_type":"buddies_status_change","value":{"uin":5,"status":"x"}}',
            UnknownEvent("buddies_status_change", {"uin": 5, "status": "x"}),
        ),
        (
            '{"poll_type":"buddies_status_change","value":{"uin":5,"status":[]}}',
            UnknownEvent("buddies_status_change", {"uin": 5, "status": []}),
        ),
        (
            '{"poll_type":"shake_message","value":{"from_uin":-5}}',
            UnknownEvent("shake_message", {"from_uin": -5}),
        ),
        (
            '{"poll_type":"tips","value":{"from_uin":5,"url":{}}}',
            UnknownEvent("tips", {"from_uin": 5, "url": {}}),
        ),
        # Malformed envelopes.
        ("null", UnknownEvent("", None)),
        ("[1]", UnknownEvent("", [1])),
        ('{"value":5}', UnknownEvent("", {"value": 5})),
        ('{"poll_type":"message"}', UnknownEvent("", {"poll_type": "message"})),
        (
            '{"poll_type":7,"value":5}',
            UnknownEvent("", {"poll_type": 7, "value": 5}),
        ),
    ],
)
def test_unknown(envelope: str, event: UnknownEvent) -> None:
    """
    A value that cannot be decoded becomes an L{UnknownEvent}, and the other events
    of the reply are decoded.
    """
    status, change = QUOTED[5]
    shake, shaken = QUOTED[8]
    body = f'{{"retcode":0,"result":[{status},{envelope},{shake}]}}'
    assert Poll2.decodeReply(body.encode()) == PollResult((change, event, shaken))


def test_unknownBothWays() -> None:
    """
    An unknown event is encoded as it was received.
    """
    event = UnknownEvent("new_thing", {"a": [1, None, "x"]})
    assert encodeEvent(event) == {
        "poll_type": "new_thing",
        "value": {"a": [1, None, "x"]},
    }


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("from_uin", 2**63),
        ("from_uin", 10**4000),
        ("to_uin", -1),
        ("time", 2**63),
        ("time", "1e9"),
        ("msg_id", 1e300),
        ("msg_id2", []),
        ("msg_type", None),
        ("content", "text"),
        ("content", None),
    ],
)
def test_absurd(member: str, value: Any) -> None:
    """
    A message without content, or with a number out of range, becomes an
    L{UnknownEvent}.
    """
    parsed = json.loads(QUOTED[0][0])["value"] | {member: value}
    assert decodeEnvelope({"poll_type": "message", "value": parsed}) == UnknownEvent(
        "message", parsed
    )


def test_sparse() -> None:
    """
    A message needs only a sender, a recipient and a content.
    """
    value: dict[str, Any] = {"from_uin": 5, "to_uin": 6, "content": ["x "]}
    assert decodeEnvelope({"poll_type": "message", "value": value}) == Message(
        Uin(5), Number(6), (Text("x"),), 0, 0, 0
    )
    group = value | {"send_uin": 7}
    assert decodeEnvelope(
        {"poll_type": "group_message", "value": group}
    ) == GroupMessage(
        Gid(5), Code(0), Number(0), Uin(7), Number(6), (Text("x"),), 0, 0, 0
    )


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _worded(member) for name, member in value.items()}
    return str(value) if type(value) is int else value


@pytest.mark.parametrize(
    ("envelope", "event"), [pytest.param(e, v, id=named(v)) for e, v in QUOTED[:3]]
)
def test_wordedNumbers(envelope: str, event: Event) -> None:
    """
    One or all numbers of a message may be strings.
    """
    parsed = json.loads(envelope)
    assert decodeEnvelope(_worded(parsed)) == event
    for name, member in parsed["value"].items():
        if type(member) is int:
            value = parsed["value"] | {name: str(member)}
            assert decodeEnvelope(parsed | {"value": value}) == event


def test_built() -> None:
    """
    An event that a poll brings is equal to one that is built, and frozen.
    """
    for envelope, event in QUOTED[:3]:
        parsed = json.loads(envelope)
        decoded = decodeEnvelope(parsed)
        assert type(decoded) is type(event)
        assert hash(decoded) == hash(event)
        assert repr(decoded) == repr(event)
        with pytest.raises(AttributeError):
            decoded.time = 5  # type: ignore[misc, union-attr]


@pytest.mark.parametrize(("operation", "flag"), [(0, 0), (1, 1), (2, 0), (3, 1)])
def test_rights(operation: int, flag: int) -> None:
    """
    C{uin_flag} says whether the member is an administrator after the change.
    """
    notice = GroupNotice(
        GroupStep.ADMIN,
        TEAHOUSE,
        TEAHOUSE_CODE,
        GROUP_NUMBER,
        member=LIN,
        operation=operation,
    )
    assert encodeEvent(notice)["value"]["uin_flag"] == flag


def test_oddNumbers() -> None:
    """
    Numbers may be strings, and empty where the server hides them.
    """
    value = {
        "type": "group_leave",
        "from_uin": "3344551122",
        "gcode": "1821777555",
        "t_gcode": "",
        "op_type": "2",
        "old_member": None,
        "t_old_member": "",
    }
    assert decodeEnvelope({"poll_type": "sys_g_msg", "value": value}) == GroupNotice(
        GroupStep.LEFT, TEAHOUSE, TEAHOUSE_CODE, Number(0), operation=2
    )
