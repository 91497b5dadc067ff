"""
Rows of profiles and friend requests (L{tests.wire.rows}), and their URLs.
"""

from __future__ import annotations

from tests.wire.rows import (
    API,
    BO,
    CLIENTID,
    LIN,
    ME,
    OK,
    PSESSIONID,
    SENT_AT,
    TEAHOUSE_CODE,
    VFWEBQQ,
    Row,
)
from txwebqq.model import (
    RECENT_BUDDY,
    RECENT_DISCUSSION,
    RECENT_GROUP,
    Birthday,
    Category,
    FriendshipNotice,
    FriendshipStep,
    Level,
    Number,
    PastMessage,
    Policy,
    Profile,
    RecentContact,
    Status,
    Text,
    Uin,
)
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.friends import (
    FROM_BOTH,
    AddNeedVerify2,
    AddNoVerify2,
    AllowAddedRequest2,
    AllowAndAdd2,
    AnswerAndAdd2,
    ChangeMarkName2,
    CreateFriendGroup,
    DeleteFriend,
    DeleteFriendGroup,
    DenyAddedRequest2,
    GetAllowInfo2,
    GetBlocked2,
    GetRequests2,
    ModifyFriendGroup,
    RenameFriendGroup,
    SearchQQByUin2,
    SortFriendGroup,
)
from txwebqq.wire.commands.profiles import (
    BatchGetVipinfo,
    GetLongNick,
    GetQQLevel2,
    GetRecentContact2,
    GetRecentList2,
    GetSelfInfo2,
    GetSingleInfo2,
    GetSingleLongNick2,
    GetStrangerInfo2,
    GetVfwebqq2,
    LevelOf,
    ModifyMyDetails2,
    OwnProfile,
    SetLongNick2,
)
from txwebqq.wire.form import Ticket

BOTH = Ticket(clientid=CLIENTID, psessionid=PSESSIONID, vfwebqq=VFWEBQQ)
VERIFIED = f"&vfwebqq={VFWEBQQ}&t=1366004099000"
VERIFY_SESSION = "h00ba8e4ec4fdb1b2d147e2158ceeacb"
TOKEN = "e5c67a587252c899fac04fce508372b0e650b1622faa7230"
QIU_NUMBER = Number(77889900)

SELF_INFO = f"""
{{"retcode":0,"result":{{"birthday":{{"month":2,"year":1994,"day":7}},"face":567,
"phone":"","occupation":"","allow":1,"college":"","uin":300100200,"blood":0,
"constel":1,"lnick":"ready","vfwebqq":"{VFWEBQQ}","homepage":"","vip_info":0,
"city":"","country":"","personal":"","shengxiao":10,"nick":"Wen","email":"",
"province":"","account":300100200,"gender":"male","mobile":""}}}}
"""
MYSELF = OwnProfile(
    Profile(
        Uin(ME),
        "Wen",
        567,
        Birthday(1994, 2, 7),
        "male",
        shengxiao=10,
        constel=1,
        number=ME,
        signature="ready",
    ),
    VFWEBQQ,
)
FOUND = f"""
{{"retcode":0,"result":{{"face":147,"birthday":{{"month":4,"year":1996,"day":9}},
"occupation":"","phone":"","allow":1,"college":"","constel":3,"blood":0,"stat":20,
"homepage":"","country":"中国","city":"温州","uiuin":"","personal":"",
"nick":"Tang","shengxiao":1,"email":"","token":"{TOKEN}","province":"浙江",
"account":66778899,"gender":"male","tuin":2265896498,"mobile":"-"}}}}
"""
TANG = Profile(
    Uin(2265896498),
    "Tang",
    147,
    Birthday(1996, 4, 9),
    "male",
    shengxiao=1,
    constel=3,
    country="中国",
    province="浙江",
    city="温州",
    mobile="-",
    number=Number(66778899),
    token=TOKEN,
)
STRANGER = Profile(
    BO,
    "Bo",
    252,
    gender="female",
    allow=4,
    status=Status.AWAY,
    clientType=41,
    number=Number(66778899),
    token=TOKEN,
)
DONE = (*OK, ('{"retcode":0,"result":{}}', None))
RECENT = (
    RecentContact(RECENT_BUDDY, LIN),
    RecentContact(RECENT_GROUP, TEAHOUSE_CODE),
    RecentContact(RECENT_DISCUSSION, 2006655441),
)
UNREAD = (
    RecentContact(
        RECENT_GROUP,
        TEAHOUSE_CODE,
        3,
        PastMessage(LIN, 1366004055, (Text("hi"),), 7, 886023, 13664),
        "Lin",
    ),
    RecentContact(RECENT_BUDDY, LIN),
)
UNREAD_LIST = (
    '{"retcode":0,"result":[{"uin":1821777555,"type":1,"unread":3,"last":{'
    '"msg_id":13664,"msg_id2":886023,"from_uin":2963008411,"time":1366004055,'
    '"seq":7,"content":[["font",{"size":10,"color":"000000","style":[0,0,0],'
    '"name":"宋体"}],"hi "]},"nick":"Lin"},{"uin":2963008411,"type":0}]}'
)
RECENT_LIST = (
    '{"retcode":0,"result":[{"uin":2963008411,"type":0},{"uin":1821777555,"type":1},'
    '{"uin":2006655441,"type":2}]}'
)


def inR(members: str) -> str:
    """
    Return the C{r} of an API request.
    """
    return f'r={{{members},"vfwebqq":"{VFWEBQQ}"}}'


CONTACT_ROWS: tuple[Row, ...] = (
    Row(
        GetSelfInfo2(milliseconds=SENT_AT),
        "t=1366004099000",
        MYSELF,
        ((SELF_INFO, MYSELF),),
    ),
    Row(
        GetVfwebqq2(milliseconds=SENT_AT),
        "t=1366004099000",
        API,
        ((f'{{"retcode":0,"result":["vfwebqq","{VFWEBQQ}"]}}', API),),
    ),
    Row(
        ModifyMyDetails2(
            API, {"nick": "Wen", "blood": 3, "birthday": Birthday(1994, 2, 7)}
        ),
        inR('"nick":"Wen","blood":3,"birthyear":1994,"birthmonth":2,"birthday":7'),
        None,
        DONE,
    ),
    Row(
        GetStrangerInfo2(API, LIN, VERIFY_SESSION, "abcd", milliseconds=SENT_AT),
        f"tuin=2963008411&verifysession={VERIFY_SESSION}&gid=0&code=abcd{VERIFIED}",
        STRANGER,
        (
            ('{"retcode":1000}', Refusal(1000)),
            (
                f'{{"retcode":0,"result":{{"uin":1,"nick":"x","token":"{TOKEN}"}}}}',
                Profile(Uin(1), "x", token=TOKEN),
            ),
        ),
    ),
    Row(
        GetSingleInfo2(API, LIN, VERIFY_SESSION, "abcd", milliseconds=SENT_AT),
        f"tuin=2963008411&verifysession={VERIFY_SESSION}&code=abcd{VERIFIED}",
        STRANGER,
        ((FOUND, TANG),),
    ),
    Row(
        GetSingleLongNick2(API, LIN, milliseconds=SENT_AT),
        f"tuin=2963008411{VERIFIED}",
        {LIN: '"a" \\ <b>'},
        (
            (
                ('{"retcode":0,"result":[{"uin":2963008411,"lnick":"海上生明月"}]}'),
                {LIN: "海上生明月"},
            ),
            ('{"retcode":100000}', Refusal(100000)),
            ('{"retcode":0,"result":[]}', {}),
        ),
    ),
    Row(
        GetLongNick(API, (LIN, BO), milliseconds=SENT_AT),
        f"tuin=[2963008411,1184002719]{VERIFIED}",
        {LIN: "a", BO: "b"},
        (('{"retcode":0,"result":[{"tuin":2963008411,"lnick":"c"}]}', {LIN: "c"}),),
    ),
    Row(
        SetLongNick2(API, "海上生明月"),
        inR('"nlk":"海上生明月"'),
        None,
        (*OK, ('{"retcode":0,"result":{"result":0}}', None)),
    ),
    Row(
        GetQQLevel2(API, LIN, milliseconds=SENT_AT),
        f"tuin=2963008411{VERIFIED}",
        LevelOf(BO, Level(1, 5, 7, 7)),
        (
            (
                (
                    '{"retcode":0,"result":{"level":19,"days":476,"hours":2502,'
                    '"remainDays":4,"tuin":2963008411}}'
                ),
                LevelOf(LIN, Level(19, 476, 2502, 4)),
            ),
            ('{"retcode":100000}', Refusal(100000)),
        ),
    ),
    Row(
        BatchGetVipinfo(API, (LIN, BO)),
        f"ul=[2963008411,1184002719]&vfwebqq={VFWEBQQ}",
        {LIN: 0, BO: 6},
        (
            (
                (
                    '{"retcode":0,"result":{"vipinfo":[{"vip_level":6,'
                    '"u":1184002719,"is_vip":1}]}}'
                ),
                {BO: 6},
            ),
        ),
    ),
    Row(
        GetRecentList2(BOTH),
        f'r={{"vfwebqq":"{VFWEBQQ}","clientid":"{CLIENTID}",'
        f'"psessionid":"{PSESSIONID}"}}&clientid={CLIENTID}&psessionid={PSESSIONID}',
        RECENT[:2],
        ((RECENT_LIST, RECENT),),
    ),
    Row(
        GetRecentList2(BOTH, True),
        f'r={{"vfwebqq":"{VFWEBQQ}","unread":1,"clientid":"{CLIENTID}",'
        f'"psessionid":"{PSESSIONID}"}}&clientid={CLIENTID}&psessionid={PSESSIONID}',
        UNREAD,
        ((UNREAD_LIST, UNREAD),),
    ),
    Row(
        GetRecentContact2(API),
        f'r={{"vfwebqq":"{VFWEBQQ}"}}',
        RECENT[1:],
        ((RECENT_LIST, RECENT),),
    ),
    # ---- friendships
    Row(
        SearchQQByUin2(API, "66778899", VERIFY_SESSION, "abcd", milliseconds=SENT_AT),
        f"tuin=66778899&verifysession={VERIFY_SESSION}&code=abcd{VERIFIED}",
        STRANGER,
        (
            (FOUND, TANG),
            ('{"retcode":1000}', Refusal(1000)),
            ('{"retcode":1001}', Refusal(1001)),
        ),
    ),
    Row(
        GetAllowInfo2(API, LIN, milliseconds=SENT_AT),
        f"tuin=2963008411&retainKey=allow{VERIFIED}",
        Policy(3, "谁?"),
        (('{"retcode":0,"result":{"allow":1}}', Policy(1)),),
    ),
    Row(
        AddNeedVerify2(API, QIU_NUMBER, "I am Wen", 2, TOKEN),
        inR(
            '"account":77889900,"myallow":1,"groupid":2,"msg":"I am Wen",'
            f'"token":"{TOKEN}"'
        ),
        None,
        DONE,
    ),
    Row(
        AddNoVerify2(API, QIU_NUMBER, 2, "秋", TOKEN, welcome=False),
        inR(
            f'"account":77889900,"myallow":0,"groupid":2,"mname":"秋","token":"{TOKEN}"'
        ),
        None,
        DONE,
    ),
    Row(
        AnswerAndAdd2(API, QIU_NUMBER, "42", token=TOKEN),
        inR(
            '"account":77889900,"myallow":1,"groupid":0,"mname":"","answer":"42",'
            f'"token":"{TOKEN}"'
        ),
        None,
        DONE,
    ),
    Row(
        AllowAndAdd2(API, QIU_NUMBER, 1, "秋"),
        inR('"account":77889900,"gid":1,"mname":"秋"'),
        None,
        DONE,
    ),
    Row(AllowAddedRequest2(API, QIU_NUMBER), inR('"account":77889900'), None, DONE),
    Row(
        DenyAddedRequest2(API, QIU_NUMBER, "no"),
        inR('"account":77889900,"msg":"no"'),
        None,
        DONE,
    ),
    Row(
        GetRequests2(API, milliseconds=SENT_AT),
        VERIFIED[1:],
        (FriendshipNotice(FriendshipStep.REQUESTED, LIN, QIU_NUMBER, "hi"),),
        (('{"retcode":0,"result":[]}', ()), ('{"retcode":100000}', Refusal(100000))),
    ),
    Row(
        GetBlocked2(API, milliseconds=SENT_AT),
        VERIFIED[1:],
        (Profile(LIN, "Lin", number=QIU_NUMBER),),
        (('{"retcode":0,"result":[]}', ()), ('{"retcode":100000}', Refusal(100000))),
    ),
    Row(
        ChangeMarkName2(API, LIN, "林同学"),
        f"tuin=2963008411&markname=林同学&vfwebqq={VFWEBQQ}",
        None,
        DONE,
    ),
    Row(
        ModifyFriendGroup(API, LIN, 2),
        f"tuin=2963008411&newid=2&vfwebqq={VFWEBQQ}",
        None,
        DONE,
    ),
    Row(
        DeleteFriend(API, LIN, FROM_BOTH),
        f"tuin=2963008411&delType=2&vfwebqq={VFWEBQQ}",
        None,
        DONE,
    ),
    Row(
        CreateFriendGroup(API, "同学"),
        f"name=同学&vfwebqq={VFWEBQQ}",
        Category(1, "同学", 2),
        (
            (
                '{"retcode":0,"result":{"index":1,"sort":1,"name":"同学"}}',
                Category(1, "同学", 1),
            ),
        ),
    ),
    Row(
        RenameFriendGroup(API, 1, "家人"),
        f"id=1&name=家人&vfwebqq={VFWEBQQ}",
        None,
        DONE,
    ),
    Row(SortFriendGroup(API, 1, 7), f"id=1&sort=7&vfwebqq={VFWEBQQ}", None, DONE),
    Row(DeleteFriendGroup(API, 1), f"id=1&vfwebqq={VFWEBQQ}", None, DONE),
)

_API = {
    "GetSelfInfo2": ("GET", "get_self_info2"),
    "GetVfwebqq2": ("GET", "get_vfwebqq2"),
    "ModifyMyDetails2": ("POST", "modify_my_details2"),
    "GetStrangerInfo2": ("GET", "get_stranger_info2"),
    "GetSingleInfo2": ("GET", "get_single_info2"),
    "GetSingleLongNick2": ("GET", "get_single_long_nick2"),
    "GetLongNick": ("GET", "get_long_nick"),
    "SetLongNick2": ("POST", "set_long_nick2"),
    "GetQQLevel2": ("GET", "get_qq_level2"),
    "BatchGetVipinfo": ("POST", "batch_get_vipinfo"),
    "GetRecentContact2": ("POST", "get_recent_contact2"),
    "SearchQQByUin2": ("GET", "search_qq_by_uin2"),
    "GetAllowInfo2": ("GET", "get_allow_info2"),
    "AddNeedVerify2": ("POST", "add_need_verify2"),
    "AddNoVerify2": ("POST", "add_no_verify2"),
    "AnswerAndAdd2": ("POST", "answer_and_add2"),
    "AllowAndAdd2": ("POST", "allow_and_add2"),
    "AllowAddedRequest2": ("POST", "allow_added_request2"),
    "DenyAddedRequest2": ("POST", "deny_added_request2"),
    "GetRequests2": ("GET", "get_requests2"),
    "GetBlocked2": ("GET", "get_blocked2"),
    "ChangeMarkName2": ("POST", "change_mark_name2"),
    "ModifyFriendGroup": ("POST", "modify_friend_group"),
    "DeleteFriend": ("POST", "delete_friend"),
    "CreateFriendGroup": ("POST", "create_friend_group"),
    "RenameFriendGroup": ("POST", "rename_friend_group"),
    "SortFriendGroup": ("POST", "sort_friend_group"),
    "DeleteFriendGroup": ("POST", "delete_friend_group"),
}

CONTACT_URLS = {
    **{
        name: (method, f"http://s.web2.qq.com/api/{path}", "API")
        for name, (method, path) in _API.items()
    },
    "GetRecentList2": (
        "POST",
        "http://d.web2.qq.com/channel/get_recent_list2",
        "CHANNEL",
    ),
}
