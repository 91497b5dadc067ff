"""
Rows of pictures and files (L{tests.wire.rows}), and their URLs.
"""

from __future__ import annotations

from tests.wire.rows import (
    API,
    CHANNEL,
    CLIENTID,
    LIN,
    ME,
    PSESSIONID,
    QIU,
    SENT,
    SENT_AT,
    TEAHOUSE,
    TEAHOUSE_CODE,
    VFWEBQQ,
    Row,
)
from txwebqq.model import Did, GroupFile, Number, Sent, Uin
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.filetransfers import (
    GetFile2,
    ReceiveFile,
    RefuseFile2,
    SendFile,
)
from txwebqq.wire.commands.offlinefiles import (
    CALLBACK_FILE,
    CALLBACK_PICTURE,
    ApplyOfflinePicDl2,
    DeleteGroupFile2,
    GetGroupFileList2,
    GetOffpic2,
    GroupFileDownload,
    LocatedPicture,
    NotifyOfffile2,
    OfflineFileDownload,
    SendGroupFile2,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.commands.pictures import (
    CALLBACK_FACE,
    DELETE_FACE,
    DISCUSSION_PICTURE,
    OF_GROUP,
    SHOW_FACE,
    CfaceUpload,
    CustomFaceEntry,
    CustomFaceUploadResult,
    FaceSignature,
    GetCface2,
    GetFace,
    GetGfaceSig2,
    GetGroupPic,
    GetImage2,
    ModifyMyHead,
    WebqqApp,
)
from txwebqq.wire.form import Ticket

OWN = Uin(ME)
OPEN = Ticket(psessionid=PSESSIONID)
GIF = b"GIF89a\x01\x00\x01\x00\x00\xff\x00,"
FACE = "587D08324C50F0E9584ACA35CA4B13F1.jPg"
GROUP_NAME = "{99820253-D7C7-8EDC-3F1E-53B08AE5C390}.jpg"
PATH = "/27d736df-2a59-4007-8701-7218bc70898d"
IDS = f"clientid={CLIENTID}&psessionid={PSESSIONID}"
EXPIRED = ('{"retcode":103,"errmsg":""}', Refusal(103))
OK = (('{"retcode":0,"result":"ok"}', None),)

PROOF = f'"clientid":"{CLIENTID}","psessionid":"{PSESSIONID}"}}&{IDS}'

GROUP_FILE = GroupFile(
    TEAHOUSE,
    TEAHOUSE_CODE,
    Number(200001),
    LIN,
    "报告.txt",
    235,
    "2c09344b3146bbdb",
    expires=1366609121,
    time=1366004321,
    recipient=ME,
    messageId=10438,
    messageId2=460591,
)
GROUP_FILE_JSON = (
    '{"msg_id":10438,"from_uin":3344551122,"to_uin":300100200,"msg_id2":460591,'
    '"group_code":1821777555,"info_seq":200001,"time":1366004321,'
    '"send_uin":2963008411,"name":"报告.txt","size":"235",'
    '"rkey":"2c09344b3146bbdb","expire_time":1366609121}'
)

STORED = (
    b"<head><script type=\"text/javascript\">document.domain='qq.com';"
    b"parent.EQQ.Model.ChatMsg.callbackSendPic("
    b'{"retcode":0, "result":"OK", "progress":100, "filesize":14173, "fileid":"1", '
    b'"filename":"a.bmp", "filepath":"/27d736df-2a59-4007-8701-7218bc70898d"}'
    b");</script></head><body></body>"
)

MEDIA_ROWS: tuple[Row, ...] = (
    Row(
        CfaceUpload(API, milliseconds=SENT_AT),
        "from=control&f=EQQ.Model.ChatMsg.callbackSendPicGroup"
        f"&vfwebqq={VFWEBQQ}&custom_face=@&fileid=1",
        CustomFaceUploadResult(0, FACE),
        (
            (
                (
                    "<head><script>document.domain='qq.com';parent.EQQ.Model.ChatMsg."
                    "callbackSendPicGroup({'ret':0,"
                    "'msg':'587D08324C50F0E9584ACA35CA4B13F1.jPg'});</script></head>"
                ),
                CustomFaceUploadResult(0, FACE),
            ),
            (
                (
                    "parent.EQQ.Model.ChatMsg.callbackSendPicGroup({'ret':4,'msg':"
                    "'587D08324C50F0E9584ACA35CA4B13F1.jPg -6102 upload cface failed'"
                    "});"
                ),
                CustomFaceUploadResult(4, FACE),
            ),
        ),
        refusable=False,
    ),
    Row(
        CfaceUpload(API, CALLBACK_FACE, milliseconds=SENT_AT),
        f"f=EQQ.View.ChatBox.uploadCustomFaceCallback&vfwebqq={VFWEBQQ}&custom_face=@",
        CustomFaceUploadResult(3, "", CALLBACK_FACE),
        (
            (
                (
                    "parent.EQQ.View.ChatBox.uploadCustomFaceCallback("
                    "{'ret':2,'msg':'get uin and skey error'});"
                ),
                CustomFaceUploadResult(2, "get uin and skey error", CALLBACK_FACE),
            ),
        ),
        refusable=False,
    ),
    Row(
        GetGfaceSig2(CHANNEL, milliseconds=SENT_AT),
        f"{IDS}&t=1366004099000",
        FaceSignature("kYcHT8iFXBGKgETy", "70448d5a0234"),
        (
            (
                (
                    '{"retcode":0,"result":{"reply":0,"gface_key":"E3MR8qZFt9xvRYRp",'
                    '"gface_sig":"70448d5a0234"}}'
                ),
                FaceSignature("E3MR8qZFt9xvRYRp", "70448d5a0234"),
            ),
        ),
    ),
    Row(
        GetGroupPic(
            API,
            TEAHOUSE_CODE,
            QIU,
            2610173877,
            GROUP_NAME,
            "183.60.50.34:80",
            time=1366004050,
        ),
        "type=0&gid=1821777555&uin=2417766001&rip=183.60.50.34&rport=80"
        f"&fid=2610173877&pic={GROUP_NAME}&vfwebqq={VFWEBQQ}&t=1366004050",
        GIF,
        ((GIF, GIF), EXPIRED),
    ),
    Row(
        GetGroupPic(
            API, Did(2006655441), LIN, 7, GROUP_NAME, "", DISCUSSION_PICTURE, 1
        ),
        "type=1&gid=2006655441&uin=2963008411&rip=&rport="
        f"&fid=7&pic={GROUP_NAME}&vfwebqq={VFWEBQQ}&t=1",
        GIF,
        ((GIF, GIF),),
    ),
    Row(
        UploadOfflinePic(
            API, OWN, "@aB3dE5fG7", callback=CALLBACK_PICTURE, milliseconds=SENT_AT
        ),
        "callback=parent.EQQ.Model.ChatMsg.callbackSendPic&locallangid=2052"
        "&clientversion=1409&uin=300100200&skey=@aB3dE5fG7&appid=1002101"
        f"&peeruin=593023668&file=@&fileid=1&vfwebqq={VFWEBQQ}"
        "&senderviplevel=0&reciverviplevel=0",
        StoredFile(PATH, "100% <b>.bmp", 14173, "1"),
        ((STORED, StoredFile(PATH, "a.bmp", 14173, "1")),),
        refusable=False,
    ),
    Row(
        UploadOfflineFile(
            API,
            OWN,
            "@aB3dE5fG7",
            f"{LIN}_1366",
            LIN,
            CALLBACK_FILE,
            milliseconds=SENT_AT,
        ),
        "callback=parent.EQQ.Model.ChatMsg.callbackSendOffFile&locallangid=2052"
        "&clientversion=1409&uin=300100200&skey=@aB3dE5fG7&appid=1002101"
        f"&peeruin=2963008411&file=@&fileid=2963008411_1366&vfwebqq={VFWEBQQ}"
        "&senderviplevel=0&reciverviplevel=0",
        Refusal(-30003, "the file is too large"),
        (
            (b'x({"retcode":-30001,"result":""});', Refusal(-30001)),
            (STORED, StoredFile(PATH, "a.bmp", 14173, "1")),
        ),
        refusable=False,
    ),
    Row(
        ApplyOfflinePicDl2(CHANNEL, OWN, PATH, milliseconds=SENT_AT),
        f"f_uin=300100200&file_path={PATH}&{IDS}&t=1366004099000",
        LocatedPicture("http://127.0.0.1:8890/?ver=2173&rkey=0", PATH),
        (
            (
                (
                    '{"retcode":0,"result":{"url":"http://1.2.3.4:80/?ver=2173&rkey=5e",'
                    f'"file_path":"{PATH}"}}}}'
                ),
                LocatedPicture("http://1.2.3.4:80/?ver=2173&rkey=5e", PATH),
            ),
        ),
    ),
    Row(
        GetOffpic2(CHANNEL, LIN, PATH),
        f"file_path={PATH}&f_uin=2963008411&{IDS}",
        GIF,
        ((GIF, GIF), EXPIRED),
    ),
    Row(
        GetCface2(CHANNEL, 10171, FACE, LIN),
        f"lcid=10171&guid={FACE}&to=2963008411&count=5&time=1&{IDS}",
        GIF,
        ((GIF, GIF), EXPIRED),
    ),
    Row(
        GetImage2(CHANNEL, 10171, "{5E10B9BC-A2BD-F848-9CB3-239DFFA745B5}0.jpg", LIN),
        "lcid=10171&guid={5E10B9BC-A2BD-F848-9CB3-239DFFA745B5}0.jpg&to=2963008411"
        f"&count=1&time=1&{IDS}",
        GIF,
        ((GIF, GIF),),
    ),
    Row(
        WebqqApp(API),
        f"cmd=1&vfwebqq={VFWEBQQ}",
        (CustomFaceEntry(FACE, 1346152148, 85817),),
        (
            (
                (
                    'var custom_face={"ret":"0",data:'
                    '[["1CF3616B.JPG",1346152148,85817],]};'
                ).replace(",]}", "]}"),
                (CustomFaceEntry("1CF3616B.JPG", 1346152148, 85817),),
            ),
            ('var custom_face={"ret":"0"};', ()),
        ),
    ),
    Row(
        WebqqApp(API, SHOW_FACE, FACE),
        f"cmd=2&bd={FACE}&vfwebqq={VFWEBQQ}",
        GIF,
        ((GIF, GIF),),
    ),
    Row(
        WebqqApp(API, DELETE_FACE, FACE),
        f"cmd=12&bd={FACE}&vfwebqq={VFWEBQQ}",
        1,
        (('var cface_delete_result={"ret":"0"}', 0),),
    ),
    Row(
        GetFace(API, LIN, milliseconds=SENT_AT),
        f"cache=0&type=1&fid=0&uin=2963008411&vfwebqq={VFWEBQQ}&t=1366004099000",
        GIF,
        ((GIF, GIF),),
    ),
    Row(
        GetFace(API, TEAHOUSE_CODE, OF_GROUP, milliseconds=SENT_AT),
        f"cache=0&type=4&fid=0&uin=1821777555&vfwebqq={VFWEBQQ}&t=1366004099000",
        GIF,
        ((GIF, GIF),),
    ),
    Row(
        ModifyMyHead(API, FACE),
        'r={"custom_face":"' + FACE + '","vfwebqq":"' + VFWEBQQ + '"}',
        None,
        OK,
    ),
    Row(
        ModifyMyHead(API, "", TEAHOUSE_CODE),
        'r={"custom_face":"","gcode":1821777555,"vfwebqq":"' + VFWEBQQ + '"}',
        None,
        OK,
    ),
    Row(
        SendOfffile2(CHANNEL, LIN, PATH, "报告.txt"),
        'r={"to":2963008411,"file_path":"' + PATH + '","filename":"报告.txt",'
        '"to_uin":2963008411,"clientid":"'
        + CLIENTID
        + '","psessionid":"'
        + PSESSIONID
        + f'"}}&{IDS}',
        Sent(5, 1366004047),
        SENT,
    ),
    Row(
        SendOfffile2(CHANNEL, LIN, PATH, "a.txt", "7"),
        f'r={{"to":2963008411,"file_path":"{PATH}","filename":"a.txt",'
        f'"to_uin":2963008411,"clientid":"{CLIENTID}","psessionid":"{PSESSIONID}",'
        f'"send_id":"7"}}&{IDS}',
        Sent(5, 1366004047),
        SENT,
    ),
    Row(
        NotifyOfffile2(CHANNEL, LIN, "test2.py", 235, milliseconds=SENT_AT),
        "to=2963008411&file_name=test2.py&file_size=235&action=2"
        f"&psessionid={PSESSIONID}&clientid={CLIENTID}&t=1366004099000",
        None,
        OK,
    ),
    Row(
        OfflineFileDownload("2c09344b3146bbdb"),
        "ver=2173&rkey=2c09344b3146bbdb&range=0",
        b"anything",
        ((b"anything", b"anything"), (b'{"a":1}', b'{"a":1}'), (b"", b"")),
    ),
    Row(
        SendGroupFile2(CHANNEL, TEAHOUSE, PATH, "报告.txt"),
        'r={"group_uin":3344551122,"file_path":"' + PATH + '",'
        '"filename":"报告.txt",' + PROOF,
        GROUP_FILE,
        ((f'{{"retcode":0,"result":{GROUP_FILE_JSON}}}', GROUP_FILE),),
    ),
    Row(
        SendGroupFile2(CHANNEL, TEAHOUSE, PATH, "a.txt", "7"),
        'r={"group_uin":3344551122,"file_path":"' + PATH + '",'
        '"filename":"a.txt","send_id":"7",' + PROOF,
        GROUP_FILE,
        ((f'{{"retcode":0,"result":{GROUP_FILE_JSON}}}', GROUP_FILE),),
    ),
    Row(
        GetGroupFileList2(CHANNEL, TEAHOUSE, milliseconds=SENT_AT),
        f"group_uin=3344551122&{IDS}&t=1366004099000",
        (GROUP_FILE,),
        (
            (
                f'{{"retcode":0,"result":{{"files":[{GROUP_FILE_JSON},7,{{}}]}}}}',
                (GROUP_FILE,),
            ),
            ('{"retcode":0,"result":{"files":null}}', ()),
        ),
    ),
    Row(
        DeleteGroupFile2(CHANNEL, TEAHOUSE, "2c09344b3146bbdb"),
        'r={"group_uin":3344551122,"rkey":"2c09344b3146bbdb",' + PROOF,
        None,
        OK,
    ),
    Row(
        GroupFileDownload(CHANNEL, TEAHOUSE, "2c09344b3146bbdb", 5),
        f"group_uin=3344551122&rkey=2c09344b3146bbdb&range=5&{IDS}",
        b"anything",
        ((b"anything", b"anything"), ('{"retcode":102,"errmsg":""}', Refusal(102))),
    ),
    Row(
        SendFile(OPEN, OWN, LIN, 1234, 1075, 56519),
        "file=@",
        None,
        (("", None), ('{"retcode":102,"errmsg":""}', Refusal(102))),
    ),
    Row(
        ReceiveFile(OPEN, OWN, LIN, 19823, "test 1.txt"),
        f"psessionid={PSESSIONID}",
        b"anything",
        ((b"anything", b"anything"),),
    ),
    Row(
        GetFile2(CHANNEL, 19823, "test.txt", LIN, milliseconds=SENT_AT),
        f"lcid=19823&guid=test.txt&to=2963008411&psessionid={PSESSIONID}"
        f"&count=1&time=1366004099000&clientid={CLIENTID}",
        b"anything",
        (('{"retcode":102,"errmsg":""}', Refusal(102)),),
    ),
    Row(
        RefuseFile2(CHANNEL, LIN, 19823, milliseconds=SENT_AT),
        f"to=2963008411&lcid=19823&{IDS}&t=1366004099000",
        None,
        OK,
    ),
)

_D = "http://d.web2.qq.com/channel"
_FTN = "http://weboffline.ftn.qq.com"
_V2 = "http://file1.web.qq.com/v2/300100200/2963008411"

MEDIA_URLS = {
    "CfaceUpload": ("POST", "http://up.web2.qq.com/cgi-bin/cface_upload", "PAGE"),
    "GetGfaceSig2": ("GET", f"{_D}/get_gface_sig2", "CHANNEL"),
    "GetGroupPic": ("GET", "http://webqq.qq.com/cgi-bin/get_group_pic", "PAGE"),
    "UploadOfflinePic": ("POST", f"{_FTN}/ftn_access/upload_offline_pic", "PAGE"),
    "UploadOfflineFile": ("POST", f"{_FTN}/ftn_access/upload_offline_file", "PAGE"),
    "ApplyOfflinePicDl2": ("GET", f"{_D}/apply_offline_pic_dl2", "CHANNEL"),
    "GetOffpic2": ("GET", f"{_D}/get_offpic2", "PAGE"),
    "GetCface2": ("GET", f"{_D}/get_cface2", "PAGE"),
    "GetImage2": ("GET", f"{_D}/get_image2", "PAGE"),
    "WebqqApp": ("GET", "http://webqq.qq.com/cgi-bin/webqq_app/", "PAGE"),
    "GetFace": ("GET", "http://face1.qun.qq.com/cgi/svr/face/getface", "PAGE"),
    "ModifyMyHead": ("POST", "http://s.web2.qq.com/api/modify_my_head", "API"),
    "SendOfffile2": ("POST", f"{_D}/send_offfile2", "CHANNEL"),
    "NotifyOfffile2": ("GET", f"{_D}/notify_offfile2", "CHANNEL"),
    "OfflineFileDownload": ("GET", f"{_FTN}/", None),
    "SendGroupFile2": ("POST", f"{_D}/send_group_file2", "CHANNEL"),
    "GetGroupFileList2": ("GET", f"{_D}/get_group_file_list2", "CHANNEL"),
    "DeleteGroupFile2": ("POST", f"{_D}/delete_group_file2", "CHANNEL"),
    "GroupFileDownload": ("GET", f"{_D}/get_group_file2", "CHANNEL"),
    "SendFile": ("POST", f"{_V2}/1234/1075/56519/1/f/1/0/0", "PAGE"),
    "ReceiveFile": ("GET", f"{_V2}/19823/0/0/0/0/1/f/1/test%201.txt", None),
    "GetFile2": ("GET", f"{_D}/get_file2", "CHANNEL"),
    "RefuseFile2": ("GET", f"{_D}/refuse_file2", "CHANNEL"),
}
