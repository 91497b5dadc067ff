"""
The commands of the client as calls of OneBot 11, against a program in memory.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.errors import (
    MalformedReply,
    NotSignedOn,
    RequestRefused,
    Unreachable,
)
from txwebqq.faces import faceNamed
from txwebqq.model import (
    RECENT_BUDDY,
    RECENT_GROUP,
    Code,
    CustomFace,
    Did,
    FriendshipNotice,
    GroupMessage,
    GroupNotice,
    Message,
    Number,
    OfflineFile,
    OfflinePicture,
    RecentContact,
    Status,
    StrangerMessage,
    Text,
    Uin,
)
from txwebqq.onebot.actions import media
from txwebqq.onebot.memory.account import CallRefused
from txwebqq.onebot.memory.program import MemoryOneBot
from txwebqq.onebot.reading import programIdOf
from txwebqq.requests import media as requests
from txwebqq.testing import RecordingFactory, RecordingProtocol
from txwebqq.wire.commands.history import HistoryRange

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


class Files(Resource):
    """
    A server of pictures.
    """

    isLeaf = True

    def render_GET(self, request: Request) -> Any:
        """
        Serve the picture unless its key has expired.
        """
        if request.path == b"/endless":
            request.write(PNG)
            return NOT_DONE_YET
        if request.path == b"/gone":
            request.setResponseCode(404)
            return b"x" * 1000
        return PNG


class ActionsTestCase(SynchronousTestCase):
    """
    Base of the tests of an account that is signed on.
    """

    def setUp(self) -> None:
        """
        Sign on.
        """
        self.onebot = MemoryOneBot()
        self.onebot.answers["get_friends_with_category"] = []
        self.alice = self.onebot.addFriend("Alice", "Ali")
        self.group = self.onebot.addGroup("Twisted", self.alice)
        self.code = Code(int(self.group))
        self.treq = StubTreq(Files())
        self.protocol: RecordingProtocol = self.onebot.run(
            RecordingFactory(), treq=self.treq
        )
        self.onebot.calls.clear()

    def tearDown(self) -> None:
        """
        Stop; nothing is left.
        """
        self.onebot.stop()
        self.assertEqual(self.onebot.clock.getDelayedCalls(), [])

    def done(self, asked: Deferred[Any]) -> Any:
        """
        Return the result of a request.
        """
        results: list[Any] = []
        asked.addBoth(results.append)
        for _ in range(3):
            self.onebot.settle()
            self.treq.flush()
        (result,) = results
        if hasattr(result, "raiseException"):
            result.raiseException()
        return result

    def made(self, asked: Deferred[Any], action: str, **params: Any) -> None:
        """
        Check that a request makes one call.
        """
        self.onebot.calls.clear()
        self.done(asked)
        self.assertEqual(self.onebot.calls, [(action, params)])

    def refused(self, asked: Deferred[Any], text: str = "") -> None:
        """
        Check that a request is refused, without a call.
        """
        self.onebot.calls.clear()
        with self.assertRaises(RequestRefused) as caught:
            self.done(asked)
        self.assertIn(text, str(caught.exception))
        self.assertEqual(self.onebot.calls, [])


class MessageTests(ActionsTestCase):
    """
    Messages and the presence.
    """

    def test_messages(self) -> None:
        """
        Messages to friends, groups and strangers.
        """
        hi = [{"type": "text", "data": {"text": "hi"}}]
        alice, group = int(self.alice), int(self.group)
        self.made(
            self.protocol.sendMessage(self.alice, "hi"),
            "send_private_msg",
            user_id=alice,
            message=hi,
        )
        self.made(
            self.protocol.sendGroupMessage(self.group, "hi"),
            "send_group_msg",
            group_id=group,
            message=hi,
        )
        self.made(
            self.protocol.sendStrangerMessage(Uin(5), "hi", group=self.group),
            "send_private_msg",
            user_id=5,
            group_id=group,
            message=hi,
        )

    def test_sent(self) -> None:
        """
        A sent message has its id, which may be missing, and the time.
        """
        now = int(self.onebot.clock.seconds())
        sent = self.done(self.protocol.sendMessage(self.alice, "hi"))
        (kept,) = self.onebot.history[False, int(self.alice)]
        self.assertEqual((sent.messageId, sent.time), (kept["message_id"], now))
        answers: list[Any] = [None, {}, {"message_id": None}, []]
        for answer in answers:
            self.onebot.answers["send_group_msg"] = answer
            sent = self.done(self.protocol.sendGroupMessage(self.group, "hi"))
            self.assertEqual((sent.messageId, sent.time), (0, now))
        self.onebot.answers["send_group_msg"] = {"message_id": "-5"}
        sent = self.done(self.protocol.sendGroupMessage(self.group, "hi"))
        self.assertEqual(programIdOf(sent.messageId), -5)

    def test_answerStranger(self) -> None:
        """
        A stranger's message is answered by way of the same group.
        """
        self.onebot.tell(5, "hello", sub_type="group", group_id=int(self.group))
        (message,) = self.protocol.events
        assert isinstance(message, StrangerMessage)
        self.done(self.protocol.answerStranger(message, "yes"))
        self.assertEqual(self.onebot.sent[0]["group_id"], self.group)

    def test_content(self) -> None:
        """
        Emoticons go by name, and text is not read as codes.
        """
        rose = faceNamed("玫瑰")
        assert rose is not None
        self.done(self.protocol.sendMessage(self.alice, ["[CQ:at,qq=all]", rose]))
        message = self.onebot.sent[0]["message"]
        self.assertEqual(message[0]["data"]["text"], "[CQ:at,qq=all]")
        self.assertEqual(message[1], {"type": "face", "data": {"id": "63"}})

    def test_unknownPicture(self) -> None:
        """
        A picture that was not uploaded is refused.
        """
        self.refused(
            self.protocol.sendMessage(self.alice, [OfflinePicture("x")]), "uploaded"
        )

    def test_failedSend(self) -> None:
        """
        The program's refusal reaches the application, and nothing is sent again.
        """
        self.onebot.answers["send_private_msg"] = CallRefused(1200, "Timeout: NTEvent")
        sent = self.protocol.sendMessage(self.alice, "hi")
        with self.assertRaises(RequestRefused) as caught:
            self.done(sent)
        self.assertEqual(caught.exception.retcode, 1200)
        self.onebot.settle(300)
        self.assertEqual(len(self.onebot.sent), 1)

    def test_others(self) -> None:
        """
        Typing, shaking, sharing and the status.
        """
        alice, group = int(self.alice), int(self.group)
        p = self.protocol
        self.made(
            p.sendTyping(self.alice), "set_input_status", user_id=alice, event_type=1
        )
        self.made(p.shakeWindow(self.alice), "friend_poke", user_id=alice)
        for status, code in ((Status.BUSY, 50), (Status.OFFLINE, 40)):
            self.made(
                p.setStatus(status),
                "set_online_status",
                status=code,
                ext_status=0,
                battery_status=0,
            )
        for markup, kind in (("<msg/>", "xml"), (' {"app": 1}', "json")):
            self.made(
                p.shareInGroup(self.group, markup),
                "send_group_msg",
                group_id=group,
                message=[{"type": kind, "data": {"data": markup}}],
            )

    def test_discussions(self) -> None:
        """
        There are no discussions.
        """
        self.refused(self.protocol.sendDiscussionMessage(Did(5), "x"), "OneBot 11")
        self.refused(
            self.protocol.sendStrangerMessage(Uin(5), "x", discussion=Did(5)),
            "no discussions",
        )

    def test_afterTheEnd(self) -> None:
        """
        Nothing is sent after the end of the sign-on.
        """
        self.onebot.closeLink()
        self.failureResultOf(self.protocol.sendMessage(self.alice, "x"), NotSignedOn)
        self.failureResultOf(self.protocol.uploadPicture(PNG), NotSignedOn)
        message = Message(self.alice, self.onebot.number, (), 0, 1, 1)
        picture = OfflinePicture("x")
        fetched = self.protocol.fetchPicture(message, picture)
        self.failureResultOf(fetched, NotSignedOn)


class PeopleTests(ActionsTestCase):
    """
    Friends and other people.
    """

    def test_lists(self) -> None:
        """
        Friends with their categories, where the program tells them.
        """
        self.onebot.answers["get_friends_with_category"] = [
            {"categoryId": 0, "categoryName": "我的好友", "buddyList": None},
            {
                "categoryId": "3",
                "categoryName": "Work",
                "buddyList": [{"user_id": int(self.alice)}],
            },
            None,
        ]
        friends = self.done(self.protocol.fetchBuddies())
        self.assertEqual([(c.index, c.name) for c in friends.categories], [(3, "Work")])
        self.assertEqual(friends.buddies[self.alice].category, 3)
        self.onebot.answers["get_friends_with_category"] = CallRefused(1404, "no")
        friends = self.done(self.protocol.fetchBuddies())
        self.assertEqual((friends.categories, len(friends.buddies)), ((), 1))

    def test_profiles(self) -> None:
        """
        Profiles, numbers, signatures and levels.
        """
        self.onebot.answers["get_stranger_info"] = {
            "user_id": "20001",
            "nickname": "Alice",
            "sex": "female",
            "long_nick": "signature",
            "qqLevel": "33",
            "login_days": None,
        }
        p = self.protocol
        for fetch in (p.fetchBuddy, p.fetchStranger):
            profile = self.done(fetch(self.alice))
            self.assertEqual(
                (profile.nick, profile.gender, profile.number, profile.signature),
                ("Alice", "female", self.alice, "signature"),
            )
        self.assertEqual(self.done(p.fetchSignature(self.alice)), "signature")
        self.assertEqual(self.done(p.fetchLevel(self.alice)).level, 33)
        own = self.done(p.fetchSelf())
        self.assertEqual((own.nick, own.uin), ("Bot", self.onebot.number))
        self.onebot.calls.clear()
        self.assertEqual(self.done(p.fetchNumber(self.alice)), self.alice)
        self.assertEqual(self.onebot.calls, [])

    def test_poorProfiles(self) -> None:
        """
        Fields that a program does not tell are empty.
        """
        p = self.protocol
        answers: list[Any] = [None, {}, [], {"nickname": None}]
        for answer in answers:
            self.onebot.answers["get_stranger_info"] = answer
            self.assertEqual(self.done(p.fetchBuddy(self.alice)).uin, self.alice)
            self.assertEqual(self.done(p.fetchSignature(self.alice)), "")
            with self.assertRaises(RequestRefused):
                self.done(p.fetchLevel(self.alice))

    def test_ownDetails(self) -> None:
        """
        The nick, the personal note, the gender and the signature can be set.
        """
        p = self.protocol
        self.made(p.setDetails(nick="N"), "set_qq_profile", nickname="N")
        self.done(p.setDetails(personal="P", gender="female"))
        self.assertEqual(
            self.onebot.calls[-1],
            ("set_qq_profile", {"nickname": "Bot", "personal_note": "P", "sex": 2}),
        )
        self.refused(p.setDetails(city="x"), "only nick, personal and gender")
        self.made(p.setSignature("S"), "set_self_longnick", longNick="S")

    def test_friendRequests(self) -> None:
        """
        Friend requests are answered by their ids.
        """
        self.onebot.request("friend", user_id=5, comment="c", flag="F")
        (asked,) = self.protocol.events
        assert isinstance(asked, FriendshipNotice)
        self.done(self.protocol.acceptFriendship(asked, markname="M"))
        self.assertIn(
            ("set_friend_add_request", {"flag": "F", "approve": True, "remark": "M"}),
            self.onebot.calls,
        )
        self.made(
            self.protocol.refuseFriendship(asked),
            "set_friend_add_request",
            flag="F",
            approve=False,
        )
        other = FriendshipNotice(asked.step, Uin(6), Number(6), "")
        self.refused(self.protocol.refuseFriendship(other), "no request")

    def test_friends(self) -> None:
        """
        Friends are renamed, moved and removed.
        """
        alice, p = int(self.alice), self.protocol
        self.made(
            p.setMarkname(self.alice, "M"),
            "set_friend_remark",
            user_id=alice,
            remark="M",
        )
        self.made(
            p.moveBuddy(self.alice, 3),
            "set_friend_category",
            user_id=alice,
            category_id=3,
        )
        self.made(p.removeFriend(self.alice), "delete_friend", user_id=alice)
        self.assertEqual(p.buddies, {})

    def test_recent(self) -> None:
        """
        The recent conversations.
        """
        self.onebot.answers["get_recent_contact"] = [
            {"peerUin": "20001", "chatType": 1},
            {"peerUin": 30001, "chatType": "2"},
            {"peerUin": 7, "chatType": 100},
            {"peerUin": None, "chatType": 1},
            None,
        ]
        self.assertEqual(
            self.done(self.protocol.fetchRecent()),
            (RecentContact(RECENT_BUDDY, 20001), RecentContact(RECENT_GROUP, 30001)),
        )

    def test_newFriend(self) -> None:
        """
        A new friend has the name of the profile.
        """
        number = self.onebot.addFriend("Bob")
        self.onebot.notice("friend_add", user_id=int(number))
        self.assertEqual(self.protocol.buddies[number].nick, "Bob")

    def test_refused(self) -> None:
        """
        Commands that OneBot 11 lacks are refused, with a hint at what there is.
        """
        p = self.protocol
        refused: list[tuple[Callable[[], Deferred[Any]], str]] = [
            (lambda: p.searchNumber(Number(5)), "fetchStranger"),
            (lambda: p.requestFriendship(Number(5)), "OneBot 11 has nothing"),
            (lambda: p.fetchPolicy(Uin(5)), "get_allow_info2"),
            (lambda: p.createCategory("x"), "OneBot 11 has nothing"),
            (lambda: p.renameCategory(1, "x"), "OneBot 11 has nothing"),
            (lambda: p.removeCategory(1), "OneBot 11 has nothing"),
            (lambda: p.fetchSignatures([Uin(5)]), "fetchSignature"),
            (lambda: p.fetchVipLevels([Uin(5)]), "OneBot 11 has nothing"),
            (lambda: p.fetchFaces(), "OneBot 11 has nothing"),
            (lambda: p.fetchAvatar(Uin(5)), "q1.qlogo.cn"),
            (lambda: p.offerFile(Uin(5), b"x"), "sendOfflineFile"),
            (lambda: p.searchGroups("x"), "fetchGroupProfile"),
            (lambda: p.joinGroup(self.code), "OneBot 11 has nothing"),
            (lambda: p.createGroup("x"), "OneBot 11 has nothing"),
            (lambda: p.transferGroup(self.code, self.alice), "OneBot 11 has nothing"),
            (lambda: p.fetchGroupPresence(self.code), "not told"),
            (lambda: p.fetchHistoryDays(self.code), "OneBot 11 has nothing"),
            (lambda: p.fetchMemberHistory(self.code, self.alice), "fetchGroupHistory"),
            (lambda: p.block(Number(5)), "blocked in a client"),
            (lambda: p.setGlobalGroupMask(1), "one by one"),
            (lambda: p.setGroupCard(self.code, phone="1"), "only the name"),
            (lambda: p.editGroup(self.code, description="x"), "only the name"),
            (lambda: p.setAvatar(None), "cannot remove"),
        ]
        for ask, text in refused:
            self.refused(ask(), text)

    def test_settings(self) -> None:
        """
        Settings are remembered.
        """
        p = self.protocol
        self.done(p.changeSettings(x=1, y=[2]))
        self.done(p.changeManySettings({7: {"z": 3}}))
        self.assertEqual(self.done(p.fetchSettings()), {"x": 1, "y": [2]})
        self.assertEqual(self.done(p.fetchSettings(["y", "q"])), {"y": [2]})
        self.assertEqual(self.done(p.fetchSettings(app=7)), {"z": 3})
        self.assertEqual(self.done(p.fetchBlocked()), ())


class GroupTests(ActionsTestCase):
    """
    Groups.
    """

    def test_lists(self) -> None:
        """
        Groups, with their members.
        """
        p = self.protocol
        groups = self.done(p.fetchGroups())
        self.assertEqual([g.name for g in groups.groups.values()], ["Twisted"])
        details = self.done(p.fetchGroup(self.code))
        self.assertEqual(details.owner, self.onebot.number)
        self.assertEqual(
            [(m.uin, m.nick) for m in details.members],
            [(self.onebot.number, "Bot"), (self.alice, "Alice")],
        )
        self.assertEqual(self.done(p.fetchGroupNumber(self.code)), self.group)
        profile = self.done(p.fetchGroupProfile(self.code))
        self.assertEqual((profile.name, profile.memberCount), ("Twisted", 2))

    def test_poorGroups(self) -> None:
        """
        C{null} in the place of members and groups means none.
        """
        p = self.protocol
        self.onebot.answers |= {"get_group_member_list": None, "get_group_info": None}
        details = self.done(p.fetchGroup(self.code))
        self.assertEqual((details.members, details.gid), ((), self.group))
        self.onebot.answers["get_group_list"] = [None, {}, {"group_id": "x"}]
        self.assertEqual(self.done(p.fetchGroups()).groups, {})

    def test_notice(self) -> None:
        """
        The latest announcement.
        """
        self.onebot.answers["_get_group_notice"] = [
            {"publish_time": 1, "message": {"text": "old"}},
            {"publish_time": 2, "message": {"text": "new"}},
            {"message": None},
        ]
        self.assertEqual(self.done(self.protocol.fetchGroupNotice(self.code)), "new")
        self.onebot.answers["_get_group_notice"] = None
        self.assertEqual(self.done(self.protocol.fetchGroupNotice(self.code)), "")

    def test_own(self) -> None:
        """
        Our own card, name and treatment of a group.
        """
        p, group = self.protocol, int(self.group)
        self.made(
            p.setGroupCard(self.code, "C"),
            "set_group_card",
            group_id=group,
            user_id=int(self.onebot.number),
            card="C",
        )
        self.made(
            p.setGroupMarkname(self.code, "M"),
            "set_group_remark",
            group_id=group,
            remark="M",
        )
        self.onebot.members[group][int(self.onebot.number)]["card"] = "C"
        self.assertEqual(self.done(p.fetchOwnCard(self.code)).name, "C")
        other = self.onebot.addGroup("Other")
        p.transport.roster.groups[other] = p.groups[self.group]
        for mask, code in ((2, 3), (1, 4), (0, 1)):
            self.made(
                p.setGroupMask(self.group, mask),
                "set_group_msg_mask",
                group_id=group,
                mask=code,
            )

    def test_administration(self) -> None:
        """
        Members and the group itself.
        """
        p, group, alice = self.protocol, int(self.group), int(self.alice)
        member = {"group_id": group, "user_id": alice}
        self.made(p.removeMember(self.code, self.alice), "set_group_kick", **member)
        self.made(
            p.setAdmin(self.code, self.alice), "set_group_admin", **member, enable=True
        )
        self.made(
            p.setMemberCard(self.code, self.alice, "A"),
            "set_group_card",
            **member,
            card="A",
        )
        self.made(
            p.editGroup(self.code, name="N"),
            "set_group_name",
            group_id=group,
            group_name="N",
        )
        self.made(
            p.editGroup(self.code, notice="N"),
            "_send_group_notice",
            group_id=group,
            content="N",
        )
        self.made(
            p.leaveGroup(self.code), "set_group_leave", group_id=group, is_dismiss=False
        )
        self.assertEqual(p.groups, {})

    def test_dissolve(self) -> None:
        """
        The owner dissolves a group.
        """
        self.made(
            self.protocol.dissolveGroup(self.code),
            "set_group_leave",
            group_id=int(self.group),
            is_dismiss=True,
        )

    def test_joinRequests(self) -> None:
        """
        Requests to join are answered by their ids.
        """
        self.onebot.request(
            "group", "add", user_id=5, group_id=int(self.group), comment="c", flag="F"
        )
        (asked,) = self.protocol.events
        assert isinstance(asked, GroupNotice)
        for agree in (True, False):
            self.made(
                self.protocol.answerJoinRequest(asked, agree, "because"),
                "set_group_add_request",
                flag="F",
                sub_type="add",
                approve=agree,
                reason="because",
            )


class HistoryTests(ActionsTestCase):
    """
    Earlier messages.
    """

    def test_groupHistory(self) -> None:
        """
        The newest messages, and those before them.
        """
        for n in range(100):
            self.onebot.tellGroup(self.group, self.alice, str(n))
        texts = [str(n) for n in range(100)]
        p = self.protocol
        newest = self.done(p.fetchGroupHistory(self.code))
        self.assertEqual([m.text for m in newest.messages], texts[-30:])
        self.assertEqual(newest.messages[0].sender, self.alice)
        ids = [m.id for m in newest.messages]
        self.assertEqual(len(set(ids) - {0}), 30)
        before = self.done(
            p.fetchGroupHistory(self.code, HistoryRange(30, last=newest.first - 1))
        )
        self.assertEqual([m.text for m in before.messages], texts[-60:-30])
        between = HistoryRange(5, first=before.first, last=before.last, backwards=False)
        some = self.done(p.fetchGroupHistory(self.code, between))
        self.assertEqual([m.text for m in some.messages], texts[-60:-55])
        early = HistoryRange(30, last=newest.first - 61)
        self.assertEqual(
            [m.text for m in self.done(p.fetchGroupHistory(self.code, early)).messages],
            texts[:10],
        )

    def test_sequences(self) -> None:
        """
        Running numbers are used where there are any; the order of a page may be
        either.
        """
        for n in range(5):
            self.onebot.tellGroup(self.group, self.alice, str(n), real_seq=str(n + 1))
            self.onebot.settle(1)
        self.onebot.history[True, int(self.group)].reverse()
        stretch = self.done(self.protocol.fetchGroupHistory(self.code))
        self.assertEqual([m.sequence for m in stretch.messages], [1, 2, 3, 4, 5])

    def test_empty(self) -> None:
        """
        A history without messages is empty, with any answer of the program; one that
        lacks the history refuses.
        """
        p = self.protocol
        action = "get_group_msg_history"
        answers: list[Any] = [None, [], {"messages": None}, {"messages": [None, 5]}]
        self.assertEqual(self.done(p.fetchGroupHistory(self.code)).messages, ())
        for answer in answers:
            self.onebot.answers[action] = answer
            self.assertEqual(self.done(p.fetchGroupHistory(self.code)).messages, ())
        self.onebot.answers[action] = CallRefused(1404, "no")
        with self.assertRaises(RequestRefused):
            self.done(p.fetchGroupHistory(self.code))

    def test_friends(self) -> None:
        """
        The newest messages of a friend, ours among them.
        """
        self.onebot.tell(self.alice, "hi")
        self.done(self.protocol.sendMessage(self.alice, "yo"))
        page = self.done(self.protocol.fetchHistory(self.alice))
        self.assertEqual(
            [(m.sender, m.text) for m in page.messages],
            [(self.alice, "hi"), (self.onebot.number, "yo")],
        )
        self.assertEqual((page.page, page.pages), (1, 1))
        with self.assertRaises(RequestRefused):
            self.done(self.protocol.fetchHistory(self.alice, page=2))


class MediaTests(ActionsTestCase):
    """
    Pictures and files.
    """

    def test_uploads(self) -> None:
        """
        An uploaded picture is kept, and sent within the message.
        """
        p = self.protocol
        encoded = "base64://" + b64encode(PNG).decode("ascii")
        image = [{"type": "image", "data": {"file": encoded, "summary": ""}}]
        self.done(p.sendPicture(self.alice, PNG))
        self.done(p.sendGroupPicture(self.group, BytesIO(PNG)))
        face = self.done(p.uploadFace(PNG))
        self.assertIsInstance(face, CustomFace)
        self.done(p.sendMessage(self.alice, [face]))
        self.assertEqual([each["message"] for each in self.onebot.sent], [image] * 3)
        # It may be sent several times.
        picture = self.done(p.uploadGroupPicture(PNG))
        for _ in range(2):
            self.done(p.sendGroupMessage(self.group, [Text("x"), picture]))

    def test_noPictures(self) -> None:
        """
        A file that is no picture, or too large, is refused.
        """
        p = self.protocol
        self.refused(p.uploadPicture(b"text"), "not a jpg")
        self.refused(p.uploadGroupPicture(b"text"), "not a jpg")
        self.patch(media, "MAX_UPLOAD", 10)
        self.refused(p.uploadPicture(PNG), "more than 10 bytes")
        self.refused(p.sendOfflineFile(self.alice, PNG), "more than 10 bytes")

    def test_avatars(self) -> None:
        """
        Avatars of the account and of a group.
        """
        encoded = "base64://" + b64encode(PNG).decode("ascii")
        p = self.protocol
        self.made(p.setAvatar(PNG), "set_qq_avatar", file=encoded)
        self.made(
            p.setGroupAvatar(self.code, PNG),
            "set_group_portrait",
            group_id=int(self.group),
            file=encoded,
        )

    def test_files(self) -> None:
        """
        A file travels within the call, and is not kept after it.
        """
        self.made(
            self.protocol.sendOfflineFile(self.alice, b"data", "a.txt"),
            "upload_private_file",
            user_id=int(self.alice),
            file="base64://ZGF0YQ==",
            name="a.txt",
        )
        service: Any = self.onebot.service
        self.assertEqual(service._driver._memory.pictures._uploaded, {})

    def received(self, url: str, isGroup: bool = False) -> tuple[Any, Any]:
        """
        Receive a picture.
        """
        picture = [{"type": "image", "data": {"file": "A.png", "url": url}}]
        if isGroup:
            self.onebot.tellGroup(self.group, self.alice, picture)
        else:
            self.onebot.tell(self.alice, picture)
        message = self.protocol.events[-1]
        assert isinstance(message, (Message, GroupMessage))
        return message, message.content[0]

    def test_fetchPicture(self) -> None:
        """
        A picture is fetched by its address.
        """
        for isGroup in (False, True):
            message, picture = self.received("https://qq.test/a", isGroup)
            fetched = self.protocol.fetchPicture(message, picture)
            self.assertEqual(self.done(fetched), PNG)
        sink = BytesIO()
        self.assertEqual(
            self.done(self.protocol.fetchPicture(message, picture, sink)), len(PNG)
        )
        self.assertEqual(sink.getvalue(), PNG)

    def test_expired(self) -> None:
        """
        When its key has expired, or there is no address, the program is asked.
        """
        encoded = b64encode(PNG).decode("ascii")
        answers: list[Any] = [
            {"url": "http://qq.test/b", "file": "C:\\a.png"},
            {"base64": encoded},
            {"file": "base64://" + encoded},
        ]
        for url in ("http://qq.test/gone", ""):
            message, picture = self.received(url)
            for answer in answers:
                self.onebot.answers["get_image"] = answer
                fetched = self.protocol.fetchPicture(message, picture)
                self.assertEqual(self.done(fetched), PNG)
                self.assertEqual(
                    self.onebot.calls[-1], ("get_image", {"file": "A.png"})
                )

    def test_stopMeanwhile(self) -> None:
        """
        A download ends with the service.
        """
        message, picture = self.received("http://qq.test/endless")
        fetched = self.protocol.fetchPicture(message, picture)
        self.onebot.settle()
        self.treq.flush()
        self.assertNoResult(fetched)
        self.onebot.stop()
        self.failureResultOf(fetched, Unreachable)
        self.assertEqual(self.onebot.clock.getDelayedCalls(), [])

    def test_notFetched(self) -> None:
        """
        Paths are those of another machine; what is no file is told.
        """
        message, picture = self.received("http://qq.test/gone")
        for answer, kind in (
            ({"file": "/etc/passwd"}, Unreachable),
            ({"file": "file:///etc/passwd"}, Unreachable),
            ({"url": "ftp://x/y"}, Unreachable),
            (None, Unreachable),
            ({"url": "http://qq.test/gone"}, Unreachable),
            ({"url": "http://[::"}, MalformedReply),
            ({"base64": "!!!"}, MalformedReply),
            (CallRefused(1200, "no"), RequestRefused),
        ):
            self.onebot.answers["get_image"] = answer
            with self.assertRaises(kind, msg=answer):
                self.done(self.protocol.fetchPicture(message, picture))

    def test_tooLarge(self) -> None:
        """
        A picture that is too large is not fetched.
        """
        self.patch(requests, "MAX_PICTURE", 5)
        for url in ("http://qq.test/a", "base64://" + b64encode(PNG).decode("ascii")):
            message, picture = self.received(url)
            with self.assertRaises(Unreachable):
                self.done(self.protocol.fetchPicture(message, picture))

    def test_fetchFile(self) -> None:
        """
        A file is fetched by its address or its id, also its rest.
        """
        p = self.protocol
        self.onebot.notice(
            "offline_file",
            user_id=int(self.alice),
            file={"name": "a", "size": len(PNG), "url": "http://qq.test/f"},
        )
        (file,) = p.events
        assert isinstance(file, OfflineFile)
        self.assertEqual(self.done(p.fetchOfflineFile(file)), PNG)
        self.assertEqual(self.done(p.fetchOfflineFile(file, start=5)), PNG[5:])
        self.onebot.answers["get_private_file_url"] = {"url": "http://qq.test/f"}
        self.onebot.notice(
            "offline_file", user_id=int(self.alice), file={"id": "/I", "size": 1}
        )
        file = p.events[-1]
        assert isinstance(file, OfflineFile)
        self.assertEqual(self.done(p.fetchOfflineFile(file)), PNG)
        self.assertEqual(
            self.onebot.calls[-1], ("get_private_file_url", {"file_id": "/I"})
        )

    def test_refusedFile(self) -> None:
        """
        A file is refused by not fetching it.
        """
        file = OfflineFile(self.alice, "a", 1, "k", "", 0, time=0)
        self.refused(self.protocol.refuseOfflineFile(file), "not fetched")
