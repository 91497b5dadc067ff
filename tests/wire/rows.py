"""
Rows of commands: a request and its parameters, a reply, and replies that
protocol.md quotes, which our own encoder has not written.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import txwebqq.wire
from txwebqq.model import (
    Birthday,
    Buddy,
    Category,
    Code,
    Face,
    Font,
    FriendList,
    Gid,
    Group,
    GroupDetails,
    GroupList,
    Member,
    Message,
    Number,
    Presence,
    Profile,
    Sent,
    Status,
    StatusChange,
    Text,
    Uin,
)
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.contacts import (
    GROUP_NUMBER,
    GetFriendInfo2,
    GetFriendUin2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
    GetUserFriends2,
    Identity,
)
from txwebqq.wire.commands.messages import (
    ChangeStatus2,
    GetMsgTip,
    GetOnlineBuddies2,
    GetSent2,
    InputNotify2,
    Poll2,
    PollResult,
    SendBuddyMsg2,
    SendQunMsg2,
    Shake2,
)
from txwebqq.wire.commands.signon import (
    Challenge,
    Check,
    CheckSig,
    GetImage,
    Login,
    Login2,
    LoginPage,
    LoginReply,
    Logout2,
    SecureGetImage,
    SessionCredentials,
    SignedCheck,
    SignedLogin,
)
from txwebqq.wire.form import Pairs, Ticket

ME = Number(300100200)
CLIENTID = "47283951"
PTWEBQQ = "b3f1d2c47a5e69880f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778"
VFWEBQQ = "5c0e9a7713d24b86" * 5
PSESSIONID = (
    "83680467640019636f6e6e7365727665725f77656271714031302e302e302e3700001a2b"
    "00000c3d026e0400682ae3116d0000000a406142336445356647376d00000028"
) + VFWEBQQ
SALT = b"\x00\x00\x00\x00\x11\xe3\x2a\x68"
DIGEST = "0CE222F5AA3D8D56A83AB1BADB577652"
SIGNATURE = "sig*" * 16
LANDING = "http://ptlogin4.web2.qq.com/check_sig?pttype=1&uin=300100200&ptsigx=5e1f"

LIN, BO, QIU = Uin(2963008411), Uin(1184002719), Uin(2417766001)
TEAHOUSE, TEAHOUSE_CODE = Gid(3344551122), Code(1821777555)
SENT_AT = 1366004099000

FRESH = Ticket(clientid=CLIENTID, ptwebqq=PTWEBQQ)
CHANNEL = Ticket(clientid=CLIENTID, psessionid=PSESSIONID)
API = Ticket(vfwebqq=VFWEBQQ)

SONGTI = Font()


@dataclass(frozen=True)
class Row:
    """
    One command with examples.

    @ivar fields: the parameters of C{request} as protocol.md prints them: before
        percent-encoding, without escapes.
    @ivar quoted: bodies that other servers sent, each with the reply in it.
    @ivar refusable: whether a reply can be a refusal; the landing page cannot.
    """

    request: Command[Any]
    fields: str
    reply: Any
    quoted: tuple[tuple[str | bytes, Any], ...]
    refusable: bool = True

    @property
    def command(self) -> type[Command[Any]]:
        """
        The class of the request.
        """
        return type(self.request)


def readable(pairs: Pairs) -> str:
    r"""
    Return parameters as protocol.md prints them, with characters in place of
    C{\uXXXX}, escaped once or twice.
    """
    text = "&".join(f"{name}={value}" for name, value in pairs)
    return re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


def commands() -> Iterator[type[Command[Any]]]:
    """
    Iterate over all commands in the package, without their base classes.
    """
    for info in walk_packages(txwebqq.wire.__path__, "txwebqq.wire."):
        for item in vars(import_module(info.name)).values():
            if (
                inspect.isclass(item)
                and issubclass(item, Command)
                and item.__module__ == info.name
                and not item.__name__.startswith("_")
                and not inspect.isabstract(item)
                # Base classes have no path.
                and hasattr(item, "path")
            ):
                yield item


OK = (('{"retcode":0,"result":"ok"}', None), ('{"retcode":0,"result":"ok"}\n', None))
SENT = (
    ('{"retcode":0,"result":"ok"}', Sent()),
    ('{"retcode":0,"result":"ok"}\n', Sent()),
    ('{"retcode":0,"result":"ok","msg_id2":5,"time":1366004047}', Sent(5, 1366004047)),
    ('{"retcode":0,"result":"ok","msg_id2":"x","time":null}', Sent()),
)

LOGIN_FIELDS = (
    f"u=300100200&p={DIGEST}&verifycode=!K7Q&webqq_type=10&remember_uin=1"
    "&login2qq=1&aid=1003903"
    "&u1=http://webqq.qq.com/loginproxy.html?login2qq=1&webqq_type=10"
    "&h=1&ptredirect=0&ptlang=2052&from_ui=1&pttype=1&dumy=&fp=loginerroralert"
    "&action=1-20-8656&mibao_css=m_webqq&t=1&g=1"
)
CHECK_REPLIES = (
    (
        r"ptui_checkVC('0','!K7Q','\x00\x00\x00\x00\x11\xe3\x2a\x68');",
        Challenge(False, "!K7Q", SALT),
    ),
    (
        (
            "ptui_checkVC('1','4GJSgm18Bw-8yw5JGKpSOXH-0idqvaCU',"
            r"'\x00\x00\x00\x00\x11\xe3\x2a\x68');"
        ),
        Challenge(True, "4GJSgm18Bw-8yw5JGKpSOXH-0idqvaCU", SALT),
    ),
    # As the oldest description of the protocol prints it.
    (
        r"pt_checkVC('0', '!B55', '\x00\x00\x00\x00\x00\xa6\x4a\x18')",
        Challenge(False, "!B55", b"\x00\x00\x00\x00\x00\xa6\x4a\x18"),
    ),
    # As later clients received it.
    (
        r"ptui_checkVC('0','!K7Q','\x00\x00\x00\x00\x11\xe3\x2a\x68','d2c9','0');",
        Challenge(False, "!K7Q", SALT, ("d2c9", "0")),
    ),
)
LOGIN_REPLIES = (
    (
        (
            "ptuiCB('0','0','http://web.qq.com/loginproxy.html?login2qq=1"
            "&webqq_type=10','0','登录成功！', 'Wen');\r\n"
        ),
        LoginReply(
            0,
            0,
            "http://web.qq.com/loginproxy.html?login2qq=1&webqq_type=10",
            "0",
            "登录成功！",
            "Wen",
        ),
    ),
    # Five arguments, as in older captures.
    (
        "ptuiCB('3','0','','0','您输入的帐号或密码不正确，请重新输入。');",
        LoginReply(3, 0, "", "0", "您输入的帐号或密码不正确，请重新输入。"),
    ),
)

SESSION = SessionCredentials(
    uin=ME,
    psessionid=PSESSIONID,
    vfwebqq=VFWEBQQ,
    status=Status.ONLINE,
    index=1075,
    port=40036,
    cip=1959559061,
)

FRIENDS = """
{"retcode":0,"result":{
 "friends":[{"flag":0,"uin":2963008411,"categories":1},{"flag":4,"uin":1184002719,"categories":0}],
 "marknames":[{"uin":2963008411,"markname":"林同学"}],
 "categories":[{"index":1,"sort":1,"name":"同学"},{"index":2,"sort":2,"name":"家人"}],
 "vipinfo":[{"vip_level":0,"u":2963008411,"is_vip":0},{"vip_level":6,"u":1184002719,"is_vip":1}],
 "info":[{"face":0,"flag":25707010,"nick":"Lin","uin":2963008411},
         {"face":252,"flag":17334848,"nick":"Bo","uin":1184002719}]}}
"""
FEW_FRIENDS = """
{"retcode":0,"result":{"friends":[{"flag":0,"uin":2963008411,"categories":0}],
"marknames":[],"categories":[],"vipinfo":[{"vip_level":0,"u":2963008411,"is_vip":0}],
"info":[{"face":0,"flag":25707010,"nick":"Lin","uin":2963008411}]}}
"""
GROUPS = """
{"retcode":0,"result":{
 "gmasklist":[{"gid":1000,"mask":0},{"gid":3344551122,"mask":1}],
 "gnamelist":[{"flag":17826833,"name":"茶馆","gid":3344551122,"code":1821777555}],
 "gmarklist":[{"uin":3344551122,"markname":"工作群"}]}}
"""
GROUP_INFO = """
{"retcode":0,"result":{
 "ginfo":{"face":0,"memo":"群公告\\r\\n八点见","class":10048,"fingermemo":"简介","code":1821777555,
   "createtime":1206845216,"flag":1064961,"level":3,"name":"茶馆","gid":3344551122,"owner":2417766001,
   "markname":"工作群","members":[{"muin":2417766001,"mflag":73},{"muin":300100200,"mflag":0}],"option":2},
 "minfo":[{"nick":"Qiu","province":"福建","gender":"male","uin":2417766001,"country":"中国","city":""},
          {"nick":"Wen","province":"","gender":"unknown","uin":300100200,"country":"","city":""}],
 "stats":[{"client_type":1,"uin":2417766001,"stat":10},{"client_type":41,"uin":300100200,"stat":10}],
 "cards":[{"muin":2417766001,"card":"秋天"}],
 "vipinfo":[{"vip_level":0,"u":2417766001,"is_vip":0},{"vip_level":0,"u":300100200,"is_vip":0}]}}
"""
TEAHOUSE_DETAILS = GroupDetails(
    gid=TEAHOUSE,
    code=TEAHOUSE_CODE,
    name="茶馆",
    owner=QIU,
    members=(
        Member(
            uin=QIU,
            nick="Qiu",
            card="秋天",
            flag=73,
            gender="male",
            country="中国",
            province="福建",
            status=Status.ONLINE,
            clientType=1,
        ),
        Member(uin=Uin(ME), nick="Wen", status=Status.ONLINE, clientType=41),
    ),
    markname="工作群",
    memo="群公告\r\n八点见",
    description="简介",
    classId=10048,
    level=3,
    flag=1064961,
    option=2,
    created=1206845216,
)
FRIEND_INFO = """
{"retcode":0,"result":{"face":0,"birthday":{"month":10,"year":1990,"day":1},"occupation":"0",
 "phone":"-","allow":1,"college":"-","uin":2963008411,"constel":9,"blood":0,"homepage":"-","stat":10,
 "vip_info":0,"country":"中国","city":"舟山","personal":"","nick":"Lin","shengxiao":4,
 "email":"lin@example.com","client_type":41,"province":"浙江","gender":"male","mobile":""}}
"""
LIN_PROFILE = Profile(
    uin=LIN,
    nick="Lin",
    birthday=Birthday(1990, 10, 1),
    gender="male",
    shengxiao=4,
    constel=9,
    country="中国",
    province="浙江",
    city="舟山",
    phone="-",
    email="lin@example.com",
    homepage="-",
    occupation="0",
    college="-",
    status=Status.ONLINE,
    clientType=41,
)
POLL = """
{"retcode":0,"result":[
  {"poll_type":"buddies_status_change","value":{"uin":2963008411,"status":"online","client_type":1}},
  {"poll_type":"message","value":{"msg_id":10171,"from_uin":2963008411,"to_uin":300100200,
    "msg_id2":158459,"msg_type":9,"reply_ip":176498310,"time":1366004047,
    "content":[["font",{"size":9,"color":"000000","style":[0,0,0],"name":"\\u5B8B\\u4F53"}],"\\u5728\\u5417 "]}}]}
"""  # noqa: E501
HELLO = Message(
    sender=LIN,
    recipient=ME,
    content=(Text("在吗"),),
    time=1366004047,
    messageId=10171,
    messageId2=158459,
    font=Font(size=9),
)


ROWS: tuple[Row, ...] = (
    # ---- signon
    Row(
        LoginPage(),
        "daid=164&target=self&style=5&mibao_css=m_webqq&appid=1003903&enable_qlogin=0"
        "&no_verifyimg=1&s_url=http://web2.qq.com/loginproxy.html"
        "&f_url=loginerroralert&strong_login=1&login_state=10&t=20130723001",
        SIGNATURE,
        (
            (
                f'<script>var g_login_sig=encodeURIComponent("{SIGNATURE}");</script>',
                SIGNATURE,
            ),
            ("<html>nothing of the kind</html>", ""),
        ),
        refusable=False,
    ),
    Row(
        Check("300100200", "0.5720316"),
        "uin=300100200&appid=1003903&r=0.5720316",
        Challenge(True, "4GJSgm18Bw-8yw5JGKpSOXH-0idqvaCU", SALT),
        CHECK_REPLIES,
    ),
    Row(
        SignedCheck("300100200", "0.5720316", signature=SIGNATURE),
        f"uin=300100200&appid=1003903&js_ver=10040&js_type=0&login_sig={SIGNATURE}"
        "&u1=http://web2.qq.com/loginproxy.html&r=0.5720316",
        Challenge(False, "!K7Q", SALT, ("d2c9", "0")),
        CHECK_REPLIES,
    ),
    Row(
        GetImage("300100200", "0.8123"),
        "aid=1003903&r=0.8123&uin=300100200",
        b"\xff\xd8\xff\xe0 and so on",
        ((b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n"), (b"GIF89a", b"GIF89a")),
    ),
    Row(
        SecureGetImage("300100200", "0.8123"),
        "aid=1003903&r=0.8123&uin=300100200",
        b"\xff\xd8\xff\xe0 and so on",
        ((b"\xff\xd8\xff\xdb", b"\xff\xd8\xff\xdb"),),
    ),
    Row(
        Login("300100200", DIGEST, "!K7Q"),
        LOGIN_FIELDS,
        LoginReply(0, 0, LANDING, "0", "登录成功！", "Wen"),
        LOGIN_REPLIES,
    ),
    Row(
        SignedLogin("300100200", DIGEST, "!K7Q", signature=SIGNATURE),
        LOGIN_FIELDS.replace("&from_ui", "&daid=164&from_ui")
        + f"&pt_uistyle=5&js_type=0&js_ver=10040&login_sig={SIGNATURE}",
        LoginReply(4, 2, "", "0", "您输入的验证码不正确，请重新输入。", "300100200"),
        LOGIN_REPLIES,
    ),
    Row(
        CheckSig(LANDING),
        "pttype=1&uin=300100200&ptsigx=5e1f",
        None,
        ((b"0", None), (b"", None), (b"<html>\xff</html>", None)),
        refusable=False,
    ),
    Row(
        Login2(FRESH),
        'r={"status":"online","ptwebqq":"' + PTWEBQQ + '","passwd_sig":"",'
        '"clientid":"47283951","psessionid":null}'
        "&clientid=47283951&psessionid=null",
        SESSION,
        (
            (
                (
                    '{"retcode":0,"result":{"uin":300100200,"cip":1959559061,'
                    '"index":1075,"port":40036,"status":"online",'
                    f'"vfwebqq":"{VFWEBQQ}","psessionid":"{PSESSIONID}",'
                    '"user_state":0,"f":0}}'
                ),
                SESSION,
            ),
            ('{"retcode":103,"errmsg":""}', Refusal(103)),
        ),
    ),
    Row(
        Logout2(CHANNEL, milliseconds=SENT_AT),
        f"ids=&clientid=47283951&psessionid={PSESSIONID}&t=1366004099000",
        None,
        OK,
    ),
    # ---- channel
    Row(
        Poll2(CHANNEL),
        'r={"clientid":"47283951","psessionid":"' + PSESSIONID + '","key":0,"ids":[]}'
        f"&clientid=47283951&psessionid={PSESSIONID}",
        PollResult((HELLO, StatusChange(BO, Status.AWAY, 21)), 7),
        (
            (POLL, PollResult((StatusChange(LIN, Status.ONLINE, 1), HELLO))),
            ('{"retcode":0,"result":"ok"}', PollResult()),
            ("", PollResult()),
            ("\n", PollResult()),
            ('{"retcode":0,"result":[],"ack":"7"}', PollResult()),
            # Replies of the last years in place of 102.
            ('{"errmsg":"error!!!","retcode":0}', PollResult()),
            ('{"retcode":102,"errmsg":""}', Refusal(102)),
            (
                (
                    '{"retcode":116,"p":"2c0d8375e6c09f2af3ce60c6e081bdf4'
                    'db271a14d0d85060"}'
                ),
                Refusal(
                    116, ptwebqq="2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060"
                ),
            ),
            ('{"retcode":120,"errmsg":""}', Refusal(120)),
            ('{"retcode":121,"t":"0"}', Refusal(121, seconds=0.0)),
        ),
    ),
    Row(
        SendBuddyMsg2(CHANNEL, LIN, (Text("马上到\n"),), 40470001, face=567),
        r'r={"to":2963008411,"face":567,"content":"[\"马上到\\n\",[\"font\",'
        r"{\"name\":\"宋体\",\"size\":\"10\",\"style\":[0,0,0],"
        r'\"color\":\"000000\"}]]","msg_id":40470001,"clientid":"47283951",'
        f'"psessionid":"{PSESSIONID}"'
        "}"
        f"&clientid=47283951&psessionid={PSESSIONID}",
        Sent(5, 1366004047),
        (*SENT, ('{"retcode":108,"errmsg":""}', Refusal(108))),
    ),
    Row(
        SendQunMsg2(
            CHANNEL,
            TEAHOUSE,
            (Text("今晚八点\n"), Face(14)),
            40470002,
            Font("Arial", 12, bold=True, underline=True, color="ff0080"),
        ),
        r'r={"group_uin":3344551122,"content":"[\"今晚八点\\n\",[\"face\",14],'
        r"[\"font\",{\"name\":\"Arial\",\"size\":\"12\",\"style\":[1,0,1],"
        r'\"color\":\"ff0080\"}]]","msg_id":40470002,"clientid":"47283951",'
        f'"psessionid":"{PSESSIONID}"'
        "}"
        f"&clientid=47283951&psessionid={PSESSIONID}",
        Sent(5, 1366004047),
        SENT,
    ),
    Row(
        GetSent2(CHANNEL, sendId="5f3a-7-0", milliseconds=SENT_AT),
        f"send_id=5f3a-7-0&clientid={CLIENTID}&psessionid={PSESSIONID}&t={SENT_AT}",
        Sent(5, 1366004047),
        (
            ('{"retcode":0,"result":{"msg_id2":7,"time":9}}', Sent(7, 9)),
            ('{"retcode":0,"result":{}}', None),
            ('{"retcode":100000,"errmsg":""}', Refusal(100000)),
        ),
    ),
    Row(
        InputNotify2(CHANNEL, LIN, milliseconds=SENT_AT),
        f"to_uin=2963008411&clientid={CLIENTID}&psessionid={PSESSIONID}&t={SENT_AT}",
        None,
        OK,
    ),
    Row(
        Shake2(CHANNEL, LIN, milliseconds=SENT_AT),
        f"to_uin=2963008411&clientid={CLIENTID}&psessionid={PSESSIONID}&t={SENT_AT}",
        None,
        OK,
    ),
    Row(
        ChangeStatus2(CHANNEL, Status.SILENT, milliseconds=SENT_AT),
        f"newstatus=silent&clientid=47283951&psessionid={PSESSIONID}&t=1366004099000",
        None,
        OK,
    ),
    Row(
        GetOnlineBuddies2(CHANNEL, milliseconds=SENT_AT),
        f"clientid=47283951&psessionid={PSESSIONID}&t=1366004099000",
        (Presence(BO, Status.BUSY, 41),),
        (
            (
                (
                    '{"retcode":0,"result":[{"uin":2963008411,"status":"online",'
                    '"client_type":1},\n'
                    ' {"uin":1184002719,"status":"away","client_type":21}]}'
                ),
                (
                    Presence(LIN, Status.ONLINE, 1),
                    Presence(BO, Status.AWAY, 21),
                ),
            ),
            ('{"retcode":0,"result":[]}', ()),
        ),
    ),
    Row(
        GetMsgTip(16, milliseconds=SENT_AT),
        "uin=&tp=1&id=0&retype=1&rc=16&lv=3&t=1366004099000",
        True,
        (('{"c":1}', False), ('{"c":0,"tips":[]}', True), ('{"c":-1}', False)),
    ),
    # ---- roster
    Row(
        GetUserFriends2(API),
        'r={"h":"hello","vfwebqq":"' + VFWEBQQ + '"}',
        FriendList(
            {
                BO: Buddy(BO, "Bo", "老博", 2, 252, 4, 6),
                LIN: Buddy(LIN, "Lin"),
            },
            (Category(2, "家人", 1),),
        ),
        (
            (
                FRIENDS,
                FriendList(
                    {
                        LIN: Buddy(LIN, "Lin", markname="林同学", category=1),
                        BO: Buddy(BO, "Bo", face=252, flag=4, vipLevel=6),
                    },
                    (Category(1, "同学", 1), Category(2, "家人", 2)),
                ),
            ),
            (FEW_FRIENDS, FriendList({LIN: Buddy(LIN, "Lin")})),
            ('{"retcode":50,"errmsg":""}', Refusal(50)),
        ),
    ),
    Row(
        GetUserFriends2(API, "585400A051650F23"),
        'r={"h":"hello","hash":"585400A051650F23","vfwebqq":"' + VFWEBQQ + '"}',
        FriendList({}),
        ((FEW_FRIENDS, FriendList({LIN: Buddy(LIN, "Lin")})),),
    ),
    Row(
        GetGroupNameListMask2(API),
        'r={"vfwebqq":"' + VFWEBQQ + '"}',
        GroupList(
            {TEAHOUSE: Group(TEAHOUSE, TEAHOUSE_CODE, "茶馆", "工作群", 1, 2)}, 3
        ),
        (
            (
                GROUPS,
                GroupList(
                    {
                        TEAHOUSE: Group(
                            TEAHOUSE,
                            TEAHOUSE_CODE,
                            "茶馆",
                            "工作群",
                            flag=17826833,
                            mask=1,
                        )
                    }
                ),
            ),
            (
                '{"retcode":0,"result":{"gmasklist":[],"gnamelist":[],"gmarklist":[]}}',
                GroupList({}),
            ),
        ),
    ),
    Row(
        GetGroupInfoExt2(API, TEAHOUSE_CODE, milliseconds=SENT_AT),
        f"gcode=1821777555&vfwebqq={VFWEBQQ}&t=1366004099000",
        TEAHOUSE_DETAILS,
        (
            (GROUP_INFO, TEAHOUSE_DETAILS),
            ('{"retcode":100000}', Refusal(100000)),
        ),
    ),
    Row(
        GetFriendInfo2(API, LIN, milliseconds=SENT_AT),
        f"tuin=2963008411&verifysession=&code=&vfwebqq={VFWEBQQ}&t=1366004099000",
        Profile(BO, "Bo", 252, Birthday(1, 2, 3), "male", allow=3, vipLevel=6),
        ((FRIEND_INFO, LIN_PROFILE), ('{"retcode":1000}', Refusal(1000))),
    ),
    Row(
        GetFriendUin2(API, LIN, milliseconds=SENT_AT),
        f"tuin=2963008411&verifysession=&type=1&code=&vfwebqq={VFWEBQQ}"
        "&t=1366004099000",
        Identity(BO, Number(66778899)),
        (
            (
                (
                    '{"retcode":0,"result":{"uiuin":"","account":55667788,'
                    '"uin":2963008411}}'
                ),
                Identity(LIN, Number(55667788)),
            ),
        ),
    ),
    Row(
        GetFriendUin2(API, TEAHOUSE_CODE, GROUP_NUMBER, milliseconds=SENT_AT),
        f"tuin=1821777555&verifysession=&type=4&code=&vfwebqq={VFWEBQQ}"
        "&t=1366004099000",
        Identity(TEAHOUSE_CODE, Number(245890123)),
        (
            (
                (
                    '{"retcode":0,"result":{"uiuin":"","account":245890123,'
                    '"uin":1821777555}}'
                ),
                Identity(TEAHOUSE_CODE, Number(245890123)),
            ),
        ),
    ),
)
