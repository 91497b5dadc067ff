"""
Generator of the tables in coverage.md: C{python docs/coverage.py}.

Paths, commands and handlers are those that the server has registered; events are those
that have a codec.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from txwebqq.protocol import WebQQProtocol
from txwebqq.testing import MemoryWebQQ
from txwebqq.wire.events.envelope import CODECS

PAGE = Path(__file__).with_name("coverage.md")

# By command: the section of protocol.md, and the methods of WebQQProtocol that send the
# command, else the part of the service that does.
COMMANDS = {
    "LoginPage": ("2.1.2", "sign-on"),
    "Check": ("2.1.3", "sign-on"),
    "GetImage": ("2.1.4", "fetchCaptcha"),
    "Login": ("2.1.5", "sign-on"),
    "CheckSig": ("2.1.6", "sign-on"),
    "Login2": ("2.1.7, 2.1.8", "sign-on"),
    "Logout2": ("2.1.10", "signOff"),
    "GetSelfInfo2": ("2.1.9", "fetchSelf"),
    "GetVfwebqq2": ("2.1.9", "old clients"),
    "Poll2": ("2.2.1", "poll"),
    "SendBuddyMsg2": ("2.2.2", "sendMessage"),
    "SendQunMsg2": ("2.2.3", "sendGroupMessage, sendGroupPicture"),
    "SendDiscuMsg2": ("2.2.4", "sendDiscussionMessage"),
    "GetSessionSig3": ("2.2.5", "old clients"),
    "GetC2cmsgSig2": ("2.2.5", "sendStrangerMessage"),
    "SendSessMsg2": ("2.2.5", "sendStrangerMessage, answerStranger"),
    "GetGfaceSig2": ("2.2.6", "uploadGroupPicture"),
    "Shake2": ("2.2.7", "shakeWindow"),
    "InputNotify2": ("2.2.7", "sendTyping"),
    "ChangeStatus2": ("2.2.8", "setStatus"),
    "GetOnlineBuddies2": ("2.2.9", "roster"),
    "GetSent2": ("2.2.11", "queue"),
    "GetRecentList2": ("2.2.10", "fetchRecent"),
    "GetRecentContact2": ("2.2.10", "old clients"),
    "GetHistory2": ("2.2.12", "fetchMessages"),
    "SetRead2": ("2.2.12", "markRead"),
    "GetUserFriends2": ("2.3.1", "fetchBuddies"),
    "GetFriendInfo2": ("2.3.2", "fetchBuddy"),
    "GetStrangerInfo2": ("2.3.3", "fetchStranger"),
    "GetSingleInfo2": ("2.3.3", "old clients"),
    "GetSingleLongNick2": ("2.3.4", "fetchSignature"),
    "GetLongNick": ("2.3.4", "fetchSignatures"),
    "SetLongNick2": ("2.3.4", "setSignature"),
    "GetQQLevel2": ("2.3.5", "fetchLevel"),
    "GetFriendUin2": ("2.3.6", "fetchNumber, fetchGroupNumber"),
    "GetFace": ("2.3.7", "fetchAvatar, fetchGroupAvatar"),
    "ModifyMyHead": ("2.3.8", "setAvatar, setGroupAvatar"),
    "ModifyMyDetails2": ("2.3.8", "setDetails"),
    "BatchGetVipinfo": ("2.3.8", "fetchVipLevels"),
    "SearchQQByUin2": ("2.4.1", "searchNumber"),
    "GetAllowInfo2": ("2.4.2", "fetchPolicy"),
    "AddNeedVerify2": ("2.4.3", "requestFriendship"),
    "AddNoVerify2": ("2.4.3", "requestFriendship"),
    "AnswerAndAdd2": ("2.4.3", "requestFriendship"),
    "AllowAndAdd2": ("2.4.4", "acceptFriendship"),
    "AllowAddedRequest2": ("2.4.4", "acceptFriendship"),
    "DenyAddedRequest2": ("2.4.4", "refuseFriendship"),
    "GetRequests2": ("2.4.6", "fetchRequests"),
    "ChangeMarkName2": ("2.4.5", "setMarkname"),
    "ModifyFriendGroup": ("2.4.5", "moveBuddy"),
    "DeleteFriend": ("2.4.5", "removeFriend"),
    "GetGroupNameListMask2": ("2.5.1", "fetchGroups"),
    "GetGroupInfoExt2": ("2.5.2", "fetchGroup"),
    "ApplyJoinGroup2": ("2.5.3", "joinGroup"),
    "SearchGroups": ("2.5.3", "searchGroups"),
    "GetSelfBusinessCard2": ("2.5.3", "fetchOwnCard"),
    "GetGroupPublicInfo2": ("2.5.3", "fetchGroupProfile"),
    "GetGroupInfo": ("2.5.3", "fetchGroupNotice"),
    "GetGroupMemberStat2": ("2.5.3", "fetchGroupPresence"),
    "QuitGroup2": ("2.5.3", "leaveGroup"),
    "OpGroupJoinReq": ("2.5.3", "answerJoinRequest, answerInvitation"),
    "MessageFilter": ("2.5.3", "setGroupMask, setGlobalGroupMask, setDiscussionMask"),
    "UpdateGroupInfo2": ("2.5.3", "setGroupMarkname"),
    "UpdateGroupBusinessCard2": ("2.5.3", "setGroupCard"),
    "GetDiscuListNew2": ("2.6", "fetchDiscussions"),
    "CreateDiscu": ("2.6", "createDiscussion"),
    "GetDiscuStatusInfo": ("2.6", "fetchDiscussionPresence"),
    "GetDiscuInfo": ("2.6", "fetchDiscussion"),
    "QuitDiscu": ("2.6", "leaveDiscussion"),
    "ModifyDiscuInfo": ("2.6", "renameDiscussion"),
    "ChangeDiscuMem": ("2.6", "inviteToDiscussion"),
    "CfaceUpload": ("2.7.1", "uploadFace, uploadGroupPicture"),
    "UploadOfflinePic": ("2.7.2", "uploadPicture"),
    "GetOffpic2": ("2.7.2", "fetchPicture"),
    "ApplyOfflinePicDl2": ("2.7.2", "old clients"),
    "WebqqApp": ("2.7.3", "fetchFaces, fetchFace, deleteFace"),
    "GetImage2": ("2.7.3", "old clients"),
    "GetCface2": ("2.7.3", "fetchPicture"),
    "GetGroupPic": ("2.7.4", "fetchPicture"),
    "SendFile": ("2.7.5", "offerFile"),
    "ReceiveFile": ("2.7.5", "acceptFile"),
    "GetFile2": ("2.7.5", "acceptFile"),
    "RefuseFile2": ("2.7.5", "refuseFile"),
    "UploadOfflineFile": ("2.7.6", "sendOfflineFile, sendGroupFile"),
    "OfflineFileDownload": ("2.7.6", "fetchOfflineFile"),
    "NotifyOfffile2": ("2.7.6", "refuseOfflineFile"),
    "SendOfffile2": ("2.7.6", "sendOfflineFile"),
    "SendGroupFile2": ("2.7.7", "sendGroupFile"),
    "GetGroupFileList2": ("2.7.7", "fetchGroupFiles"),
    "GroupFileDownload": ("2.7.7", "fetchGroupFile"),
    "DeleteGroupFile2": ("2.7.7", "deleteGroupFile"),
    "GetMsgTip": ("2.8.1", "heartbeat"),
    "GetChatLog": ("2.8.2", "fetchHistory"),
    "ChatLogDates": ("2.8.2", "fetchHistoryDays"),
    "UinTimeChatLog": ("2.8.2", "fetchMemberHistory"),
    "GetOnePage": ("2.8.2", "fetchDiscussionHistory"),
    "GroupChatLog": ("2.8.2", "fetchGroupHistory"),
    "SetManySettings": ("2.8.3", "changeManySettings"),
    "SetSettings": ("2.8.3", "changeSettings"),
    "GetAllSettings": ("2.8.3", "fetchSettings"),
    "GetSettings": ("2.8.3", "fetchSettings"),
    "GetBlocked2": ("2.8.4", "fetchBlockedProfiles"),
    "CreateFriendGroup": ("ours", "createCategory"),
    "RenameFriendGroup": ("ours", "renameCategory"),
    "SortFriendGroup": ("ours", "moveCategory"),
    "DeleteFriendGroup": ("ours", "removeCategory"),
    "CreateGroup": ("ours", "createGroup"),
    "SendGroupWebMsg": ("ours", "shareInGroup"),
    "DissolveGroup": ("ours", "dissolveGroup"),
    "SetGroupAdmin": ("ours", "setAdmin"),
    "SetMemberCard": ("ours", "setMemberCard"),
    "RemoveGroupMember": ("ours", "removeMember"),
    "TransferGroup": ("ours", "transferGroup"),
    "ModifyGroupInfo": ("ours", "editGroup"),
    "RecallBuddyMsg2": ("2.9.1", "recallMessage"),
    "RecallQunMsg2": ("2.9.1", "recallGroupMessage"),
    "MuteGroupMember": ("2.9.2", "muteMember, muteGroup"),
    "PokeGroupMember": ("2.9.3", "pokeMember"),
    "SetReaction": ("2.9.4", "setReaction"),
}

BY_SERVICE = {"queue", "sign-on", "poll", "heartbeat", "roster", "old clients"}

_CASE = re.compile(r"case (\w+)\(\):(?:(?!case ).)*?return self\.(\w+)\(", re.DOTALL)


def endpoints() -> list[list[str]]:
    """
    Return the rows of the table of endpoints.
    """
    web = MemoryWebQQ()
    handlers = {command.__name__: command for command in web.server.handlers}
    if handlers.keys() != COMMANDS.keys():
        raise KeyError(sorted(handlers.keys() ^ COMMANDS.keys()))
    rows = []
    for name, (section, senders) in COMMANDS.items():
        command = handlers[name]
        paths = ", ".join(f"`{path}`" for path in (command.path, *command.aliases))
        handler = web.server.handlers[command].__qualname__
        if senders not in BY_SERVICE:
            senders = ", ".join(f"`{sender}`" for sender in senders.split(", "))
        rows.append([section, paths, f"`{name}`", f"`{handler}`", senders])
    web.stop()
    return rows


def events() -> list[list[str]]:
    """
    Return the rows of the table of events, without the last.
    """
    callbacks = dict(_CASE.findall(inspect.getsource(WebQQProtocol.eventReceived)))
    return [
        [f"`{codec.pollType}`", f"`{kind.__name__}`", f"`{callbacks[kind.__name__]}`"]
        for kind, codec in CODECS.items()
    ]


def _table(*rows: list[str]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def page() -> str:
    """
    Return the page with the tables as the code has them.
    """
    text = PAGE.read_text(encoding="utf-8")
    titles = ["section", "paths", "command", "handler", "asked by"]
    text = _replaceTable(text, "Endpoints", titles, endpoints())
    unknown = ["any other", "`UnknownEvent`", "`unknownEventReceived`"]
    titles = ["`poll_type`", "event", "callback"]
    return _replaceTable(text, "Events", titles, [*events(), unknown])


def _replaceTable(
    text: str, heading: str, titles: list[str], rows: list[list[str]]
) -> str:
    before, rest = text.split(f"## {heading}\n", 1)
    start = rest.index("|")
    end = rest.index("\n\n", start)
    table = _table(titles, ["---"] * len(titles), *rows)
    return f"{before}## {heading}\n{rest[:start]}{table}{rest[end:]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
