"""
Rows of histories and settings (L{tests.wire.rows}), and their URLs.
"""

from __future__ import annotations

from datetime import date

from tests.wire.group_rows import inForm
from tests.wire.rows import (
    CHANNEL,
    CLIENTID,
    LIN,
    OK,
    PSESSIONID,
    QIU,
    SENT_AT,
    TEAHOUSE_CODE,
    VFWEBQQ,
    Row,
)
from txwebqq.model import (
    RECENT_DISCUSSION,
    RECENT_GROUP,
    Did,
    Face,
    Font,
    GroupPicture,
    HistoryDay,
    HistorySlice,
    HistoryStretch,
    Mention,
    Number,
    PastFile,
    PastMessage,
    Reacted,
    Reply,
    Text,
    Uin,
)
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.history import (
    ChatLine,
    ChatLog,
    ChatLogDates,
    GetChatLog,
    GetHistory2,
    GetOnePage,
    GroupChatLog,
    HistoryRange,
    SetRead2,
    UinTimeChatLog,
)
from txwebqq.wire.commands.settings import (
    GetAllSettings,
    GetSettings,
    SetManySettings,
    SetSettings,
)
from txwebqq.wire.form import Ticket

LOOK_UP = Ticket(vfwebqq=VFWEBQQ)
TAIL = f"vfwebqq={VFWEBQQ}&t={SENT_AT}"

# As a client of 2011 received it; the names have no quotes.
CHAT_LOG = (
    "alloy.app.chatLogViewer.rederChatLog({ret:0,tuin:583730301,page:1,total:1,"
    'chatlogs:[{ver:3,cmd:16,seq:49,time:1313074040,type:1,msg:["HI\\u3002",'
    '"\\n\\u3010\\u63D0\\u793A\\uFF1A\\u6B64\\u7528\\u6237\\u6B63\\u5728'
    '\\u4F7F\\u7528WebQQ\\u3011"] },'
    '{ver:3,cmd:17,seq:14343,time:1313074088,type:1,msg:["\\u3000\\u55EF"] }]});'
)
GROUP_LOG = """
{"retcode":0,"result":{"time":1359526607,"data":{"cl":[{"g":1821777555,"cl":[
 {"u":2501542492,"t":1359449452,"il":[{"v":"1231\\n【提示】","t":0}]},
 {"u":2417766001,"t":1359449460,"il":[{"v":"0","t":1},{"v":"{99}.jpg","t":2,
  "port":8000,"fid":2610173877,"ip":3071160882}]}]}]}}}
"""
NO_LOG = '{"retcode":0,"result":{"time":1359526607,"data":null}}'

STRETCH = HistoryStretch(
    (
        PastMessage(
            QIU, 1359449451, (Reply(5), Mention(Number(10002), "@Bo"), Text("x")), 27
        ),
        PastMessage(QIU, 1359449452, (Text('"早"\\ {ret:1, a:2}'), Face(14)), 28),
        PastMessage(
            LIN,
            1359449453,
            (GroupPicture("a.jpg", 2610173877, server="183.60.50.34:80"), Face(0)),
            29,
        ),
        PastMessage(
            QIU,
            1359449454,
            (
                Reply(5),
                Mention(Number(10001), "梨"),
                Mention(Number(0), "全体"),
                Text("?"),
            ),
            30,
        ),
    ),
    28,
    30,
    TEAHOUSE_CODE,
    1359526607,
)
GROUP_REPLIES = (
    (
        GROUP_LOG,
        HistoryStretch(
            (
                PastMessage(Uin(2501542492), 1359449452, (Text("1231\n【提示】"),)),
                PastMessage(
                    QIU,
                    1359449460,
                    (
                        Face(14),
                        GroupPicture(
                            "{99}.jpg", 2610173877, server="183.14.50.50:8000"
                        ),
                    ),
                ),
            ),
            place=TEAHOUSE_CODE,
            time=1359526607,
        ),
    ),
    (NO_LOG, HistoryStretch((), time=1359526607)),
    ('{"retcode":5555}', Refusal(5555)),
)

HISTORY_ROWS: tuple[Row, ...] = (
    Row(
        GetChatLog(LOOK_UP, LIN, 2, 10, milliseconds=SENT_AT),
        f"cmd=1&tuin=2963008411&vfwebqq={VFWEBQQ}&page=2&row=10"
        f"&callback=alloy.app.chatLogViewer.renderChatLog&t={SENT_AT}",
        ChatLog(
            LIN,
            2,
            14,
            (
                ChatLine(True, 1313074040, (Text('a "b" {ret:1,page:2} \\ '),), 49),
                ChatLine(False, 1313074088, (Face(14),), 50),
                ChatLine(False, 1313074089, (), 51),
            ),
        ),
        (
            (
                CHAT_LOG,
                ChatLog(
                    Uin(583730301),
                    1,
                    1,
                    (
                        ChatLine(
                            True,
                            1313074040,
                            (
                                Text("HI。"),
                                Text("\n【提示：此用户正在使用WebQQ】"),
                            ),
                            49,
                        ),
                        ChatLine(False, 1313074088, (Text("\u3000嗯"),), 14343),
                    ),
                    "alloy.app.chatLogViewer.rederChatLog",
                ),
            ),
            ("alloy.app.chatLogViewer.renderChatLog({ret:1});", Refusal(1)),
        ),
    ),
    Row(
        GroupChatLog(
            LOOK_UP, TEAHOUSE_CODE, HistoryRange(10, 5, 27, False), milliseconds=SENT_AT
        ),
        f"ps=10&bs=5&es=27&gid=1821777555&mode=2&{TAIL}",
        STRETCH,
        GROUP_REPLIES,
    ),
    Row(
        GetOnePage(LOOK_UP, Did(2006655441), HistoryRange(10), milliseconds=SENT_AT),
        f"ty=2&ps=10&bs=0&es=0&gid=2006655441&mode=1&{TAIL}",
        STRETCH,
        GROUP_REPLIES,
    ),
    Row(
        UinTimeChatLog(
            LOOK_UP, TEAHOUSE_CODE, QIU, 1359449452, 20, milliseconds=SENT_AT
        ),
        f"gid=1821777555&uin=2417766001&time=1359449452&ps=20&{TAIL}",
        STRETCH,
        GROUP_REPLIES,
    ),
    Row(
        ChatLogDates(LOOK_UP, TEAHOUSE_CODE, milliseconds=SENT_AT),
        f"gid=1821777555&{TAIL}",
        (HistoryDay(date(2013, 1, 29), 28, 29), HistoryDay(date(2013, 2, 1), 30, 30)),
        (
            (
                (
                    '{"retcode":0,"result":{"info":'
                    '[{"ymd":20130129,"begseq":11,"endseq":20}]}}'
                ),
                (HistoryDay(date(2013, 1, 29), 11, 20),),
            ),
            ('{"retcode":5555,"errmsg":""}', Refusal(5555)),
        ),
    ),
    Row(
        GetHistory2(
            CHANNEL, RECENT_GROUP, TEAHOUSE_CODE, 886022, 0, 50, milliseconds=SENT_AT
        ),
        "type=1&uin=1821777555&after=886022&before=0&count=50"
        f"&clientid={CLIENTID}&psessionid={PSESSIONID}&t={SENT_AT}",
        HistorySlice(
            (
                PastMessage(
                    LIN,
                    1366004055,
                    (Text("hi "), Face(14), Reply(886022), Mention(Number(5), "Bo")),
                    1366004001,
                    886023,
                    13664,
                    Font("Arial", 12, bold=True),
                ),
                PastMessage(
                    QIU,
                    1366004056,
                    (),
                    1366004002,
                    886024,
                    7,
                    reactions=(
                        Reacted(Text("\u2665"), (LIN, QIU)),
                        Reacted(Face(14), (LIN,)),
                    ),
                ),
            ),
            hasMore=True,
            files=(
                PastFile(
                    LIN,
                    "报告.txt",
                    5,
                    "00ff",
                    1366608855,
                    1366004055,
                    True,
                    1366004003,
                    886025,
                    13665,
                ),
                PastFile(QIU, "a", 0, expires=1, time=1, sequence=3, id=4),
            ),
        ),
        (
            (
                (
                    '{"retcode":0,"result":{"messages":[{"msg_id":13664,"msg_id2":886023,'
                    '"from_uin":2963008411,"time":1366004055,"seq":7,"content":[["font",'
                    '{"size":10,"color":"000000","style":[0,0,0],"name":"宋体"}],'
                    '"hi "]}],"more":0}}'
                ),
                HistorySlice(
                    (PastMessage(LIN, 1366004055, (Text("hi"),), 7, 886023, 13664),)
                ),
            ),
            ('{"retcode":0,"result":{"messages":[],"more":0}}', HistorySlice(())),
            (
                (
                    '{"retcode":0,"result":{"messages":[],"more":0,"files":[{"msg_id":'
                    '13664,"msg_id2":886023,"from_uin":2963008411,"time":1366004055,'
                    '"seq":7,"name":"t.txt","size":5,"expire_time":1366608855,'
                    '"rkey":"00ff","fetched":1}]}}'
                ),
                HistorySlice(
                    (),
                    files=(
                        PastFile(
                            LIN,
                            "t.txt",
                            5,
                            "00ff",
                            1366608855,
                            1366004055,
                            True,
                            7,
                            886023,
                            13664,
                        ),
                    ),
                ),
            ),
            ('{"retcode":100001,"errmsg":""}', Refusal(100001)),
        ),
    ),
    Row(
        SetRead2(CHANNEL, RECENT_DISCUSSION, 2006655441, 886022),
        inForm('"type":2,"uin":2006655441,"msg_id2":886022', verified=False),
        None,
        OK,
    ),
    Row(
        GetSettings(LOOK_UP, ("width", "height", "defaultMode")),
        'r={"appid":50,"itemlist":["width","height","defaultMode"]}'
        f"&vfwebqq={VFWEBQQ}",
        {"width": 240, "defaultMode": "restore"},
        (
            (
                (
                    '{"retcode":0,"result":'
                    '{"height":500,"defaultMode":"restore","width":240}}'
                ),
                {"height": 500, "defaultMode": "restore", "width": 240},
            ),
        ),
    ),
    Row(
        GetAllSettings(LOOK_UP, 51),
        f'r={{"appid":51}}&vfwebqq={VFWEBQQ}',
        {"a": [1, None, {"b": "微"}]},
        (('{"retcode":0,"result":{}}', {}),),
    ),
    Row(
        SetSettings(LOOK_UP, {"width": 240, "title": "窗"}),
        f'r={{"appid":50,"itemlist":{{"width":240,"title":"窗"}}}}&vfwebqq={VFWEBQQ}',
        {},
        (('{"retcode":0,"result":{}}', {}), ('{"retcode":0,"result":"ok"}', {})),
    ),
    Row(
        SetManySettings(LOOK_UP, {50: {"width": 1}, 51: {}}),
        'r={"applist":[{"appid":50,"itemlist":{"width":1}},'
        f'{{"appid":51,"itemlist":{{}}}}]}}&vfwebqq={VFWEBQQ}',
        {},
        (('{"retcode":0,"result":{}}', {}),),
    ),
)

_CGI = "http://cgi.web2.qq.com"

HISTORY_URLS: dict[str, tuple[str, str, str | None]] = {
    "GetHistory2": ("GET", "http://d.web2.qq.com/channel/get_history2", "CHANNEL"),
    "SetRead2": ("POST", "http://d.web2.qq.com/channel/set_read2", "CHANNEL"),
    "GetChatLog": ("GET", "http://webqq.qq.com/cgi-bin/webqq_chat/", "PAGE"),
    "GroupChatLog": ("GET", f"{_CGI}/keycgi/top/groupchatlog", "CGI"),
    "GetOnePage": ("GET", f"{_CGI}/cgi/top/get_one_page", "CGI"),
    "UinTimeChatLog": (
        "GET",
        f"{_CGI}/keycgi/qqweb/group/uintimechatlog.do",
        "CGI",
    ),
    "ChatLogDates": ("GET", f"{_CGI}/keycgi/top/chatlogdates", "CGI"),
    "GetSettings": ("POST", f"{_CGI}/keycgi/qqweb/newuac/get.do", "CGI"),
    "GetAllSettings": ("POST", f"{_CGI}/keycgi/qqweb/newuac/getall.do", "CGI"),
    "SetSettings": ("POST", f"{_CGI}/keycgi/qqweb/newuac/set.do", "CGI"),
    "SetManySettings": ("POST", f"{_CGI}/keycgi/qqweb/newuac/mset.do", "CGI"),
}
