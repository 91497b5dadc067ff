"""
Rows of groups, discussions and temporary chats (L{tests.wire.rows}), and their
URLs.
"""

from __future__ import annotations

from tests.wire.rows import (
    API,
    BO,
    CHANNEL,
    CLIENTID,
    LIN,
    ME,
    OK,
    PSESSIONID,
    QIU,
    SENT,
    SENT_AT,
    TEAHOUSE,
    TEAHOUSE_CODE,
    VFWEBQQ,
    Row,
)
from txwebqq.model import (
    BusinessCard,
    Code,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    DiscussionMember,
    Font,
    FoundGroup,
    FoundGroups,
    GroupProfile,
    NewGroup,
    Number,
    Presence,
    Sent,
    Status,
    Text,
    Uin,
)
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.discussions import (
    GONE,
    RENAME_FORBIDDEN,
    TOO_MANY,
    ChangeDiscuMem,
    CreateDiscu,
    GetDiscuInfo,
    GetDiscuListNew2,
    GetDiscuStatusInfo,
    Invitation,
    ModifyDiscuInfo,
    QuitDiscu,
    SendDiscuMsg2,
)
from txwebqq.wire.commands.groupadmin import (
    CreateGroup,
    DissolveGroup,
    ModifyGroupInfo,
    RemoveGroupMember,
    SetGroupAdmin,
    SetMemberCard,
    TransferGroup,
)
from txwebqq.wire.commands.groupmember import (
    GetSelfBusinessCard2,
    MessageFilter,
    OwnCard,
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)
from txwebqq.wire.commands.groups import (
    ApplyJoinGroup2,
    GetGroupInfo,
    GetGroupMemberStat2,
    GetGroupPublicInfo2,
    MemberStats,
    Memos,
    OpGroupJoinReq,
    QuitGroup2,
    SearchGroups,
    SendGroupWebMsg,
)
from txwebqq.wire.commands.temporary import (
    IN_DISCUSSION,
    IN_GROUP,
    GetC2cmsgSig2,
    GetSessionSig3,
    SendSessMsg2,
)
from txwebqq.wire.events.interaction import AGREE
from txwebqq.wire.form import Ticket

BOTH = Ticket(clientid=CLIENTID, psessionid=PSESSIONID, vfwebqq=VFWEBQQ)
OPEN = f"&clientid={CLIENTID}&psessionid={PSESSIONID}"
VERIFIED = f"&vfwebqq={VFWEBQQ}&t=1366004099000"
WEEKEND = Did(2006655441)
SIGNATURE = "b83900ad33607db576d106ffba5ad4e2b8b1cadd660d059e"
CAPTCHA = "h00ba8e4ec4fdb1b2d147e2158ceeacb"


def inR(members: str) -> str:
    """
    Return the C{r} of an API request.
    """
    return f'r={{{members},"vfwebqq":"{VFWEBQQ}"}}'


def inForm(members: str, verified: bool = True) -> str:
    """
    Return the form of a channel request.
    """
    ids = f'"clientid":"{CLIENTID}","psessionid":"{PSESSIONID}"'
    if verified:
        ids += f',"vfwebqq":"{VFWEBQQ}"'
    return f"r={{{members},{ids}}}{OPEN}"


SEARCHED = """
{"result":[{"GE":2571213,"GEX":1677179817,"TI":"茶","QQ":"","RQ":"","GC":""}],
"retcode":0,"responseHeader":{"CostTime":15,"Status":0,"TotalNum":1,"CurrentNum":1,
"CurrentPage":1}}
"""
DISCUSSION = """
{"retcode":0,"result":{"info":{"did":2006655441,"discu_owner":2963008411,
"discu_name":"周末","info_seq":2,
  "mem_list":[{"mem_uin":2963008411,"ruin":55667788},
              {"mem_uin":300100200,"ruin":300100200}]},
 "mem_status":[{"uin":2963008411,"status":"online","client_type":1},
               {"uin":300100200,"status":"online","client_type":41}],
 "mem_info":[{"uin":2963008411,"nick":"Lin"},{"uin":300100200,"nick":"Wen"}]}}
"""
WEEKEND_DETAILS = DiscussionDetails(
    WEEKEND,
    "周末",
    LIN,
    2,
    (
        DiscussionMember(LIN, Number(55667788), "Lin", Status.ONLINE, 1),
        DiscussionMember(Uin(ME), ME, "Wen", Status.ONLINE, 41),
    ),
)
PUBLIC = """
{"retcode":0,"result":{"ginfo":{"face":0,"memo":"","member_cnt":12,"class":10048,
"fingermemo":"简介","code":1821777555,"createtime":1206845216,"flag":1064961,
"name":"茶馆","gid":3344551122,"owner":2417766001,"maxmember":500,"option":2}}}
"""
TEAHOUSE_PROFILE = GroupProfile(
    TEAHOUSE,
    TEAHOUSE_CODE,
    "茶馆",
    QIU,
    description="简介",
    memberCount=12,
    maxMembers=500,
    classId=10048,
    flag=1064961,
    created=1206845216,
)
OK_OR_GONE = (*OK, ('{"retcode":0,"result":{"error":3}}', GONE))

GROUP_ROWS: tuple[Row, ...] = (
    Row(
        GetGroupMemberStat2(API, TEAHOUSE_CODE, milliseconds=SENT_AT),
        f"gcode=1821777555{VERIFIED}",
        MemberStats(TEAHOUSE_CODE, (Presence(BO, Status.BUSY, 41),)),
        (
            (
                (
                    '{"retcode":0,"result":{"stats":[{"client_type":41,'
                    '"uin":2417766001,"stat":10}],"gcode":1821777555}}'
                ),
                MemberStats(TEAHOUSE_CODE, (Presence(QIU, Status.ONLINE, 41),)),
            ),
        ),
    ),
    Row(
        GetGroupInfo(API, (TEAHOUSE_CODE,), milliseconds=SENT_AT),
        f"gcode=[1821777555]&retainKey=memo,gcode{VERIFIED}",
        Memos({TEAHOUSE_CODE: "群公告", Code(5): ""}),
        (
            (
                '{"retcode":0,"result":[{"memo":"","gcode":1821777555}]}',
                Memos({TEAHOUSE_CODE: ""}),
            ),
        ),
    ),
    Row(
        GetGroupInfo(API, (TEAHOUSE_CODE,), True, milliseconds=SENT_AT),
        f"gcode=[1821777555]&retainKey=memo{VERIFIED}",
        Memos({TEAHOUSE_CODE: "群公告"}, isBare=True),
        (
            (
                '{"retcode":0,"result":{"memo":"八点见"}}',
                Memos({Code(0): "八点见"}, isBare=True),
            ),
        ),
    ),
    Row(
        GetGroupPublicInfo2(API, TEAHOUSE_CODE, milliseconds=SENT_AT),
        f"gcode=1821777555{VERIFIED}",
        TEAHOUSE_PROFILE,
        ((PUBLIC, TEAHOUSE_PROFILE),),
    ),
    Row(
        GetSelfBusinessCard2(API, TEAHOUSE_CODE, milliseconds=SENT_AT),
        f"gcode=1821777555{VERIFIED}",
        OwnCard(
            TEAHOUSE_CODE, Uin(ME), BusinessCard("Wen", "1", "w@example.com", "!", 0)
        ),
        (
            ('{"retcode":100003,"errmsg":""}', Refusal(100003)),
            (
                (
                    '{"retcode":0,"result":{"phone":"","muin":300100200,"email":"",'
                    '"remark":"","gcode":1821777555,"name":"秋天","gender":2}}'
                ),
                OwnCard(TEAHOUSE_CODE, Uin(ME), BusinessCard("秋天")),
            ),
        ),
    ),
    Row(
        UpdateGroupBusinessCard2(API, TEAHOUSE_CODE, name="秋天", phone="", gender=1),
        inR('"gcode":1821777555,"phone":"","name":"秋天","gender":1'),
        None,
        OK,
    ),
    Row(
        UpdateGroupInfo2(API, TEAHOUSE_CODE, "工作群"),
        inR('"gcode":1821777555,"markname":"工作群"'),
        None,
        OK,
    ),
    Row(
        MessageFilter(API, {TEAHOUSE: 1}, globalMask=0),
        'retype=1&app=EQQ&itemlist={"groupmask":{"3344551122":"1","cAll":0,'
        f'"idx":1075,"port":40036}}}}&vfwebqq={VFWEBQQ}',
        None,
        OK,
    ),
    Row(
        MessageFilter(API, discussions={WEEKEND: 2}, index=7, port=8),
        'retype=1&app=EQQ&itemlist={"discumask":{"2006655441":"2",'
        f'"idx":7,"port":8}}}}&vfwebqq={VFWEBQQ}',
        None,
        OK,
    ),
    Row(
        SearchGroups(API, "2571213", code="abcd", milliseconds=SENT_AT),
        "pg=1&perpage=10&all=2571213&c1=0&c2=0&c3=0&st=0&vfcode=abcd&type=1" + VERIFIED,
        FoundGroups(
            (FoundGroup(Number(2571213), Code(1677179817), "茶", ME, "!"),), 12, 2
        ),
        (
            (
                SEARCHED,
                FoundGroups(
                    (FoundGroup(Number(2571213), Code(1677179817), "茶"),), 1, 1
                ),
            ),
            ('{"retcode":100110,"errmsg":""}', Refusal(100110)),
            ('{"retcode":100102,"errmsg":""}', Refusal(100102)),
        ),
    ),
    Row(
        ApplyJoinGroup2(API, TEAHOUSE_CODE, "hello", "mhtv", CAPTCHA),
        inR(f'"gcode":1821777555,"code":"mhtv","vfy":"{CAPTCHA}","msg":"hello"'),
        None,
        (
            ('{"retcode":0,"result":{"statu":"pending"}}', None),
            (
                '{"retcode":100001,"tips":"该群已满"}',
                Refusal(100001, "该群已满"),
            ),
        ),
    ),
    Row(
        OpGroupJoinReq(CHANNEL, TEAHOUSE, LIN, AGREE, "来吧", milliseconds=SENT_AT),
        "group_uin=3344551122&req_uin=2963008411&msg=来吧&op_type=2"
        f"{OPEN}&t=1366004099000",
        None,
        OK,
    ),
    Row(QuitGroup2(API, TEAHOUSE_CODE), inR('"gcode":1821777555'), None, OK),
    Row(
        CreateGroup(API, "茶馆", (LIN, BO), "公告", "简介", 1),
        inR(
            '"name":"茶馆","mem_list":[2963008411,1184002719],"memo":"公告",'
            '"fingermemo":"简介","option":1'
        ),
        NewGroup(TEAHOUSE, TEAHOUSE_CODE, Number(245890123)),
        (
            (
                (
                    '{"retcode":0,"result":{"gid":3344551122,"code":1821777555,'
                    '"account":245890123}}'
                ),
                NewGroup(TEAHOUSE, TEAHOUSE_CODE, Number(245890123)),
            ),
        ),
    ),
    Row(
        ModifyGroupInfo(API, TEAHOUSE_CODE, memo="", option=3),
        inR('"gcode":1821777555,"memo":"","option":3'),
        None,
        OK,
    ),
    Row(
        RemoveGroupMember(API, TEAHOUSE_CODE, LIN),
        inR('"gcode":1821777555,"muin":2963008411'),
        None,
        OK,
    ),
    Row(
        TransferGroup(API, TEAHOUSE_CODE, LIN),
        inR('"gcode":1821777555,"muin":2963008411'),
        None,
        OK,
    ),
    Row(
        SetGroupAdmin(API, TEAHOUSE_CODE, LIN, granted=True),
        inR('"gcode":1821777555,"muin":2963008411,"op_type":1'),
        None,
        OK,
    ),
    Row(
        SetMemberCard(API, TEAHOUSE_CODE, LIN, card="Lin"),
        inR('"gcode":1821777555,"muin":2963008411,"card":"Lin"'),
        None,
        OK,
    ),
    Row(DissolveGroup(API, TEAHOUSE_CODE), inR('"gcode":1821777555'), None, OK),
    Row(
        SendGroupWebMsg(CHANNEL, TEAHOUSE, "<d>文件</d>"),
        inForm('"group_uin":3344551122,"xml":"<d>文件</d>"', verified=False),
        None,
        OK,
    ),
    # ---- discussions
    Row(
        GetDiscuListNew2(BOTH, milliseconds=SENT_AT),
        f"{OPEN[1:]}{VERIFIED}",
        DiscussionList({WEEKEND: Discussion(WEEKEND, "周末", 2)}, 1),
        (
            (
                (
                    '{"retcode":0,"result":{"dnamelist":[{"did":2006655441,'
                    '"name":"周末"}],"dmasklist":[{"did":1000,"mask":0}]}}'
                ),
                DiscussionList({WEEKEND: Discussion(WEEKEND, "周末")}),
            ),
            ('{"retcode":0,"result":{"dnamelist":[]}}', DiscussionList({})),
        ),
    ),
    Row(
        GetDiscuInfo(BOTH, WEEKEND, milliseconds=SENT_AT),
        f"did=2006655441{OPEN}{VERIFIED}",
        WEEKEND_DETAILS,
        (
            (DISCUSSION, WEEKEND_DETAILS),
            ('{"retcode":0,"result":{"error":3}}', GONE),
        ),
    ),
    Row(
        GetDiscuStatusInfo(BOTH, WEEKEND, milliseconds=SENT_AT),
        f"did=2006655441{OPEN}{VERIFIED}",
        (Presence(LIN, Status.ONLINE, 1),),
        (
            (
                (
                    '{"retcode":0,"result":{"mem_status":[{"uin":2963008411,'
                    '"status":"online","client_type":1}]}}'
                ),
                (Presence(LIN, Status.ONLINE, 1),),
            ),
            ('{"retcode":0,"result":{"error":3}}', GONE),
        ),
    ),
    Row(
        CreateDiscu(BOTH, "周末", Invitation((LIN, BO), ((QIU, TEAHOUSE),))),
        inForm(
            '"discu_name":"周末","mem_list":[2963008411,1184002719],'
            '"mem_list_u":[2417766001],"mem_list_g":[3344551122],"code":"",'
            '"verifysession":""'
        ),
        WEEKEND,
        (
            ('{"retcode":0,"result":{"result":0,"did":2006655441}}', WEEKEND),
            ('{"retcode":0,"result":{"did":2006655441}}', WEEKEND),
            ('{"retcode":0,"result":{"result":2}}', TOO_MANY),
            ('{"retcode":1000,"errmsg":""}', Refusal(1000)),
        ),
    ),
    Row(
        ChangeDiscuMem(BOTH, WEEKEND, Invitation((BO,))),
        inForm(
            '"did":"2006655441","mem_list":[1184002719],"mem_list_u":[],"mem_list_g":[]'
        ),
        None,
        OK_OR_GONE,
    ),
    Row(
        ModifyDiscuInfo(BOTH, WEEKEND, "周日"),
        inForm('"did":"2006655441","discu_name":"周日","dtype":1'),
        None,
        (*OK, ('{"retcode":0,"result":{"error":2}}', RENAME_FORBIDDEN)),
    ),
    Row(
        QuitDiscu(BOTH, WEEKEND, milliseconds=SENT_AT),
        f"did=2006655441{OPEN}{VERIFIED}",
        None,
        OK_OR_GONE,
    ),
    Row(
        SendDiscuMsg2(CHANNEL, WEEKEND, (Text("到了"),), 40470003),
        r'r={"did":"2006655441","content":"[\"到了\",[\"font\",'
        r"{\"name\":\"宋体\",\"size\":\"10\",\"style\":[0,0,0],"
        r'\"color\":\"000000\"}]]","msg_id":40470003,'
        f'"clientid":"{CLIENTID}","psessionid":"{PSESSIONID}"'
        "}" + OPEN,
        Sent(5, 1366004047),
        (*SENT, *OK_OR_GONE[2:]),
    ),
    # ---- temporary conversations
    Row(
        GetC2cmsgSig2(CHANNEL, TEAHOUSE, QIU, IN_GROUP, milliseconds=SENT_AT),
        f"id=3344551122&to_uin=2417766001&service_type=0{OPEN}&t=1366004099000",
        SIGNATURE,
        (
            (
                (
                    f'{{"retcode":0,"result":{{"type":0,"value":"{SIGNATURE}",'
                    '"flags":{"text":1,"pic":1,"file":1,"audio":1,"video":1}}}'
                ),
                SIGNATURE,
            ),
        ),
    ),
    Row(
        GetSessionSig3(CHANNEL, WEEKEND, QIU, milliseconds=SENT_AT),
        f"did=2006655441&to_uin=2417766001{OPEN}&t=1366004099000",
        SIGNATURE,
        (
            (
                (
                    '{"retcode":0,"result":{"verify_sig":{"type":0,"value":"x"},'
                    f'"group_sig":{{"type":0,"value":"{SIGNATURE}"}}}}}}'
                ),
                SIGNATURE,
            ),
        ),
    ),
    Row(
        SendSessMsg2(
            CHANNEL,
            QIU,
            SIGNATURE,
            IN_DISCUSSION,
            (Text("你好"),),
            40470004,
            Font("Arial"),
            549,
        ),
        f'r={{"to":2417766001,"group_sig":"{SIGNATURE}","face":549,'
        r'"content":"[\"你好\",[\"font\",{\"name\":\"Arial\",\"size\":\"10\",'
        r'\"style\":[0,0,0],\"color\":\"000000\"}]]","msg_id":40470004,'
        f'"service_type":1,"clientid":"{CLIENTID}","psessionid":"{PSESSIONID}"'
        "}" + OPEN,
        Sent(5, 1366004047),
        SENT,
    ),
)

_API = {
    "GetGroupMemberStat2": ("GET", "get_group_member_stat2"),
    "GetGroupInfo": ("GET", "get_group_info"),
    "GetGroupPublicInfo2": ("GET", "get_group_public_info2"),
    "GetSelfBusinessCard2": ("GET", "get_self_business_card2"),
    "UpdateGroupBusinessCard2": ("POST", "update_group_business_card2"),
    "UpdateGroupInfo2": ("POST", "update_group_info2"),
    "ApplyJoinGroup2": ("POST", "apply_join_group2"),
    "QuitGroup2": ("POST", "quit_group2"),
    "CreateGroup": ("POST", "create_group2"),
    "ModifyGroupInfo": ("POST", "modify_group_info2"),
    "RemoveGroupMember": ("POST", "remove_group_member2"),
    "TransferGroup": ("POST", "transfer_group2"),
    "SetGroupAdmin": ("POST", "set_group_admin2"),
    "SetMemberCard": ("POST", "set_group_card2"),
    "DissolveGroup": ("POST", "dissolve_group2"),
}
_CHANNEL = {
    "OpGroupJoinReq": ("GET", "op_group_join_req"),
    "SendGroupWebMsg": ("POST", "send_group_web_msg2"),
    "GetDiscuListNew2": ("GET", "get_discu_list_new2"),
    "GetDiscuInfo": ("GET", "get_discu_info"),
    "GetDiscuStatusInfo": ("GET", "get_discu_status_info"),
    "CreateDiscu": ("POST", "create_discu"),
    "ChangeDiscuMem": ("POST", "change_discu_mem"),
    "ModifyDiscuInfo": ("POST", "modify_discu_info"),
    "QuitDiscu": ("GET", "quit_discu"),
    "SendDiscuMsg2": ("POST", "send_discu_msg2"),
    "GetC2cmsgSig2": ("GET", "get_c2cmsg_sig2"),
    "GetSessionSig3": ("GET", "get_session_sig3"),
    "SendSessMsg2": ("POST", "send_sess_msg2"),
}
_KEYCGI = "http://cgi.web2.qq.com/keycgi/qqweb"

GROUP_URLS = {
    **{
        name: (method, f"http://s.web2.qq.com/api/{path}", "API")
        for name, (method, path) in _API.items()
    },
    **{
        name: (method, f"http://d.web2.qq.com/channel/{path}", "CHANNEL")
        for name, (method, path) in _CHANNEL.items()
    },
    "SearchGroups": ("GET", f"{_KEYCGI}/group/search.do", "CGI"),
    "MessageFilter": ("POST", f"{_KEYCGI}/uac/messagefilter.do", "CGI"),
}
