"""
Recalls, mutes, pokes, reactions, invitations and mentions of an account of today's QQ,
against a program in memory: as calls and as events.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from tests.onebot.test_actions import PNG, ActionsTestCase
from txwebqq.errors import MessageTooLong, RequestRefused, Unreachable
from txwebqq.faces import faceNamed
from txwebqq.model import (
    FOREVER,
    Code,
    Face,
    Gid,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupStep,
    MemberMuted,
    MemberPoked,
    Mention,
    Message,
    MessageRecalled,
    Number,
    Reaction,
    Reply,
    Shake,
    Text,
    Uin,
)
from txwebqq.onebot.memory.account import CallRefused
from txwebqq.onebot.reading import programIdOf

DAY = 86400


class InteractionTestCase(ActionsTestCase):
    """
    Base of the tests.
    """

    def event(self, kind: type[Any]) -> Any:
        """
        Return the only event that has come, and forget it.
        """
        (event,) = self.protocol.events
        assert isinstance(event, kind), event
        self.protocol.events.clear()
        return event

    def fails(self, asked: Deferred[Any], text: str, retcode: int = 1200) -> None:
        """
        Check that the program refuses.
        """
        with self.assertRaises(RequestRefused) as caught:
            self.done(asked)
        self.assertIn(text, str(caught.exception))
        self.assertEqual(caught.exception.retcode, retcode)


class RecallTests(InteractionTestCase):
    """
    Recalls.
    """

    def test_own(self) -> None:
        """
        Messages of our own are recalled by the ids that their sends gave.
        """
        p = self.protocol
        sent = self.done(p.sendMessage(self.alice, "1"))
        place = self.onebot.history[False, int(self.alice)]
        number = place[-1]["message_id"]
        self.made(
            p.recallMessage(self.alice, sent.messageId), "delete_msg", message_id=number
        )
        self.assertEqual(place, [])
        # The program tells it too.
        recall = self.event(MessageRecalled)
        self.assertEqual(
            (recall.group, recall.sender, recall.id), (0, p.account.number, number)
        )
        self.fails(p.recallMessage(self.alice, sent.messageId), "消息不存在")

    def test_others(self) -> None:
        """
        Messages of others are recalled by their ids, which may have a sign.
        """
        number = self.onebot.tellGroup(self.group, self.alice, "x", message_id=-77)
        message = self.event(GroupMessage)
        asked = self.protocol.recallGroupMessage(self.group, message.id)
        self.made(asked, "delete_msg", message_id=number)
        recall = self.event(MessageRecalled)
        self.assertEqual((recall.group, recall.id), (self.group, message.id))
        self.assertEqual(
            (recall.sender, recall.operator), (self.alice, self.onebot.number)
        )

    def test_notAllowed(self) -> None:
        """
        The program's refusal reaches the application.
        """
        other = self.onebot.addGroup("B", self.alice, owner=self.alice)
        self.onebot.tellGroup(other, self.alice, "x")
        message = self.event(GroupMessage)
        asked = self.protocol.recallGroupMessage(other, message.id)
        self.fails(asked, "NOT_GROUP_ADMIN")

    def test_noId(self) -> None:
        """
        A message without an id cannot be recalled.
        """
        self.refused(self.protocol.recallMessage(self.alice, 0), "not known")

    def test_events(self) -> None:
        """
        Recalls by others come with the ids of the messages.
        """
        first = self.onebot.tell(self.alice, "x")
        second = self.onebot.tellGroup(self.group, self.alice, "y")
        private, group = self.protocol.events
        assert isinstance(private, Message)
        assert isinstance(group, GroupMessage)
        self.protocol.events.clear()
        self.onebot.recall(first)
        recall = self.event(MessageRecalled)
        self.assertEqual(
            (recall.group, recall.sender, recall.id), (0, self.alice, private.id)
        )
        self.onebot.recall(second, operator=5)
        recall = self.event(MessageRecalled)
        self.assertEqual(
            (recall.group, recall.operator, recall.id), (self.group, 5, group.id)
        )
        with self.assertRaises(CallRefused):
            self.onebot.recall(second)


class MuteTests(InteractionTestCase):
    """
    Mutes.
    """

    def test_members(self) -> None:
        """
        Members are muted, and not any longer.
        """
        p, alice, group = self.protocol, int(self.alice), int(self.group)
        for seconds in (600, 0):
            self.made(
                p.muteMember(self.code, self.alice, seconds),
                "set_group_ban",
                group_id=group,
                user_id=alice,
                duration=seconds,
            )
            mute = self.event(MemberMuted)
            self.assertEqual((mute.member, mute.seconds), (alice, seconds))
            self.assertEqual((group, alice) in self.onebot.muted, seconds > 0)
        self.refused(p.muteMember(self.code, self.alice, 30 * DAY + 1), "30 days")
        self.fails(p.muteMember(self.code, Uin(5), 600), "群员不存在")

    def test_all(self) -> None:
        """
        A whole group is muted, and not any longer.
        """
        group = int(self.group)
        for isMuted in (True, False):
            self.made(
                self.protocol.muteGroup(self.code, isMuted),
                "set_group_whole_ban",
                group_id=group,
                enable=isMuted,
            )
            mute = self.event(MemberMuted)
            self.assertEqual(
                (mute.member, mute.seconds), (0, FOREVER if isMuted else 0)
            )

    def test_events(self) -> None:
        """
        We are muted by others.
        """
        other = self.onebot.addGroup("B", self.alice, owner=self.alice)
        own = int(self.onebot.number)
        self.onebot.mute(other, own, 60)
        mute = self.event(MemberMuted)
        self.assertEqual(
            (mute.group, mute.member, mute.operator, mute.seconds),
            (other, own, self.alice, 60),
        )
        self.onebot.mute(other)
        self.assertEqual(self.event(MemberMuted).seconds, FOREVER)


class PokeTests(InteractionTestCase):
    """
    Pokes.
    """

    def test_pokes(self) -> None:
        """
        Members are poked, and our own poke does not come back.
        """
        params = {"group_id": int(self.group), "user_id": int(self.alice)}
        asked = self.protocol.pokeMember(self.group, self.alice)
        self.made(asked, "group_poke", **params)
        self.assertEqual(self.protocol.events, [])

    def test_otherName(self) -> None:
        """
        Programs without the action may have it by another name, or not at all.
        """
        self.onebot.answers["group_poke"] = CallRefused(1404, "no")
        self.done(self.protocol.pokeMember(self.group, self.alice))
        actions = [action for action, _ in self.onebot.calls]
        self.assertEqual(actions, ["group_poke", "send_poke"])
        self.onebot.answers["send_poke"] = CallRefused(404, "no")
        self.fails(
            self.protocol.pokeMember(self.group, self.alice), "cannot poke", 1404
        )
        # Another failure is one.
        self.onebot.answers["group_poke"] = CallRefused(1200, "packet")
        self.onebot.calls.clear()
        self.fails(self.protocol.pokeMember(self.group, self.alice), "packet")
        self.assertEqual(len(self.onebot.calls), 1)

    def test_events(self) -> None:
        """
        Pokes by others; that of a friend shakes the window.
        """
        self.onebot.poke(self.alice, self.group)
        poke = self.event(MemberPoked)
        self.assertEqual((poke.sender, poke.target), (self.alice, self.onebot.number))
        self.onebot.poke(self.alice, self.group, 5)
        self.assertEqual(self.event(MemberPoked).target, 5)
        self.onebot.poke(self.alice)
        self.assertEqual(self.event(Shake).uin, self.alice)


class ReactionTests(InteractionTestCase):
    """
    Reactions.
    """

    def setUp(self) -> None:
        """
        Have a message, with an id as LLTwoBot makes them.
        """
        super().setUp()
        self.onebot.tellGroup(self.group, self.alice, "x", message_id=-77)
        self.message = self.event(GroupMessage)

    def react(self, face: Face | Text, isSet: bool = True) -> Deferred[None]:
        """
        React to the message.
        """
        return self.protocol.setReaction(self.group, self.message.id, face, isSet)

    def test_set(self) -> None:
        """
        Emoticons go by their names, emoji by their code points.
        """
        rose = faceNamed("玫瑰")
        assert rose is not None
        for face, emoji in (
            (rose, "63"),
            (Text("👍"), "128077"),
            (Text("[点赞]"), "201"),
        ):
            self.made(
                self.react(face),
                "set_msg_emoji_like",
                message_id=-77,
                emoji_id=emoji,
                set=True,
            )
            reaction = self.event(Reaction)
            self.assertEqual(
                (reaction.sender, reaction.id, reaction.face),
                (self.onebot.number, self.message.id, face),
            )

    def test_unset(self) -> None:
        """
        A reaction is taken back by the action of LLTwoBot, which would set it by the
        other one, or else by that of NapCat.
        """
        like = {"message_id": -77, "emoji_id": "128077"}
        self.done(self.react(Text("👍")))
        self.onebot.calls.clear()
        self.protocol.events.clear()
        self.done(self.react(Text("👍"), False))
        self.assertEqual(
            self.onebot.calls,
            [
                ("unset_msg_emoji_like", like),
                ("set_msg_emoji_like", {**like, "set": False}),
            ],
        )
        self.assertFalse(self.event(Reaction).isSet)
        self.onebot.answers["unset_msg_emoji_like"] = None
        self.made(self.react(Text("👍"), False), "unset_msg_emoji_like", **like)

    def test_lagrange(self) -> None:
        """
        Lagrange has an action of its own; others none.
        """
        self.onebot.answers["set_msg_emoji_like"] = CallRefused(404, "no")
        self.onebot.answers["set_group_reaction"] = None
        self.done(self.react(Text("👍")))
        self.assertEqual(
            self.onebot.calls[-1],
            (
                "set_group_reaction",
                {
                    "group_id": self.group,
                    "message_id": -77,
                    "code": "128077",
                    "is_add": True,
                },
            ),
        )
        del self.onebot.answers["set_group_reaction"]
        self.fails(self.react(Text("👍")), "cannot react", 1404)

    def test_refused(self) -> None:
        """
        Texts that are no emoticons, and emoticons that today's QQ lacks, are refused.
        """
        for text in ("yes", "a", "©", "👍👍", "[no such]", "63", "好的", ""):
            self.refused(self.react(Text(text)), "one Unicode emoji")
        self.refused(self.react(Face(12345)), "emoticon that today's QQ has")
        self.refused(self.protocol.setReaction(self.group, 0, Text("👍")), "not known")

    def test_events(self) -> None:
        """
        Reactions by others.
        """
        self.onebot.react(self.alice, -77, "❤")
        reaction = self.event(Reaction)
        self.assertEqual(
            (reaction.sender, reaction.id, reaction.face, reaction.isSet),
            (self.alice, self.message.id, Text("❤"), True),
        )
        self.onebot.react(self.alice, -77, 63, isSet=False)
        reaction = self.event(Reaction)
        self.assertEqual((reaction.face, reaction.isSet), (faceNamed("玫瑰"), False))


class InvitationTests(InteractionTestCase):
    """
    Invitations to groups.
    """

    def test_answers(self) -> None:
        """
        An invitation is accepted or declined.
        """
        flag = self.onebot.invite(self.alice, 777, "come")
        notice = self.event(GroupNotice)
        self.assertEqual(
            (notice.step, notice.group, notice.admin, notice.text),
            (GroupStep.INVITED, 777, self.alice, "come"),
        )
        self.assertNotIn(Gid(777), self.protocol.groups)
        for accept in (True, False):
            self.made(
                self.protocol.answerInvitation(notice, accept, "t"),
                "set_group_add_request",
                flag=flag,
                sub_type="invite",
                approve=accept,
                reason="t",
            )
        self.failureResultOf(
            self.protocol.answerInvitation(notice, True, "x" * 5000), MessageTooLong
        )

    def test_unknown(self) -> None:
        """
        One that has not come cannot be answered.
        """
        notice = GroupNotice(
            GroupStep.INVITED, Gid(1), Code(1), Number(1), admin=self.alice
        )
        self.refused(self.protocol.answerInvitation(notice, True), "no request")


class MentionTests(InteractionTestCase):
    """
    Mentions and replies.
    """

    def test_replies(self) -> None:
        """
        A reply with a mention goes out with the ids of the program, and comes back.
        """
        self.onebot.tellGroup(self.group, self.alice, "x", message_id=-77)
        asked = self.event(GroupMessage)
        content: list[Any] = [
            Reply(asked.id),
            Mention(Number(int(self.alice)), "Alice"),
            "yes",
        ]
        self.done(self.protocol.sendGroupMessage(self.group, content))
        segments = self.onebot.sent[-1]["message"]
        self.assertEqual(
            segments,
            [
                {"type": "reply", "data": {"id": "-77"}},
                {"type": "at", "data": {"qq": str(self.alice)}},
                {"type": "text", "data": {"text": " yes"}},
            ],
        )
        self.onebot.tellGroup(self.group, self.alice, segments)
        back = self.event(GroupMessage)
        self.assertEqual(
            back.content,
            (
                Reply(asked.id),
                Mention(Number(int(self.alice)), "Alice"),
                Text(" yes"),
            ),
        )

    def test_names(self) -> None:
        """
        Names are known from the lists, without another call.
        """
        code = Code(int(self.group))
        self.onebot.members[int(self.group)][int(self.alice)]["card"] = "Card"
        at = [
            {"type": "at", "data": {"qq": number}}
            for number in (self.alice, self.onebot.number, 5)
        ]

        def names() -> list[str]:
            self.onebot.calls.clear()
            self.onebot.tellGroup(self.group, 6, at)
            self.assertEqual(self.onebot.calls, [])
            return [mention.name for mention in self.event(GroupMessage).content]

        self.assertEqual(names(), ["Alice", "Bot", "5"])
        self.done(self.protocol.fetchGroup(code))
        self.assertEqual(names(), ["Card", "Bot", "5"])

    def test_toFriends(self) -> None:
        """
        A friend gets a mention as a text.
        """
        mention = Mention(Number(5), "Bob")
        self.done(self.protocol.sendMessage(self.alice, [mention]))
        self.assertEqual(self.onebot.said, ["@Bob"])

    def test_history(self) -> None:
        """
        Mentions of the history have names too, and its ids are those of events.
        """
        at = [{"type": "at", "data": {"qq": str(self.alice)}}]
        self.onebot.tellGroup(self.group, self.alice, at, message_id=-77)
        message = self.event(GroupMessage)
        found = self.done(self.protocol.fetchGroupHistory(self.code))
        (past,) = found.messages
        self.assertEqual((past.id, past.content), (message.id, message.content))
        self.assertEqual(programIdOf(past.id), -77)


class FileTests(InteractionTestCase):
    """
    Files of groups.
    """

    def test_send(self) -> None:
        """
        A file is uploaded within the call, is not told as one of another client, and
        is listed, fetched and deleted.
        """
        p, group = self.protocol, int(self.group)
        file = self.done(p.sendGroupFile(self.group, b"oolong", "a.txt"))
        encoded = b64encode(b"oolong").decode("ascii")
        self.assertEqual(
            self.onebot.calls,
            [
                (
                    "upload_group_file",
                    {
                        "group_id": group,
                        "file": f"base64://{encoded}",
                        "name": "a.txt",
                    },
                )
            ],
        )
        self.assertEqual(self.protocol.events, [])
        self.assertEqual(
            (file.group, file.name, file.size, file.sender),
            (group, "a.txt", 6, p.account.number),
        )
        self.onebot.settle(10)
        self.onebot.shareFile(self.group, self.alice, "b.txt", b"pu-erh")
        told = self.event(GroupFile)
        listed = self.done(p.fetchGroupFiles(self.group))
        self.assertEqual([each.name for each in listed], ["a.txt", "b.txt"])
        self.assertEqual((listed[1].key, listed[1].sender), (told.key, self.alice))
        for each in (told, listed[1]):
            self.assertEqual(self.done(p.fetchGroupFile(each)), b"pu-erh")
        self.assertEqual(self.done(p.fetchGroupFile(file, start=3)), b"ong")
        self.done(p.deleteGroupFile(self.group, told))
        self.assertEqual(
            self.onebot.calls[-1],
            (
                "delete_group_file",
                {"group_id": group, "file_id": f"/{group}-2", "busid": 102},
            ),
        )
        self.fails(p.fetchGroupFile(told), "文件不存在")

    def test_ownElsewhere(self) -> None:
        """
        A file that the account shares by another client is told, also one with the
        name of a file that was sent here.
        """
        self.done(self.protocol.sendGroupFile(self.group, b"1", "a.txt"))
        own = int(self.onebot.number)
        self.onebot.shareFile(self.group, own, "a.txt", b"22")
        self.assertEqual(self.event(GroupFile).size, 2)

    def test_poorAnswers(self) -> None:
        """
        Lists and ids that a program does not tell are empty, and what cannot be named
        is refused.
        """
        p = self.protocol
        poor: list[Any] = [None, [], {}, {"files": None}, {"files": [None, {}, 5]}]
        for answer in poor:
            self.onebot.answers["get_group_root_files"] = answer
            self.assertEqual(self.done(p.fetchGroupFiles(self.group)), ())
        answers: list[Any] = [None, {}, {"file_id": None}]
        for answer in answers:
            self.onebot.answers["upload_group_file"] = answer
            file = self.done(p.sendGroupFile(self.group, b"1", "a.txt"))
            self.refused(p.deleteGroupFile(self.group, file), "no id")
            self.refused(p.fetchGroupFile(file), "no id")
        urls: list[Any] = [None, {}, {"url": None}, {"url": "/nowhere/a"}]
        known = replace(file, key="0:x")
        for answer in urls:
            self.onebot.answers["get_group_file_url"] = answer
            with self.assertRaises(Unreachable):
                self.done(p.fetchGroupFile(known))

    def test_byURL(self) -> None:
        """
        A file of which only the address was told is fetched from there.
        """
        file = {"name": "a.png", "size": 1, "url": "http://x/a.png"}
        fields: dict[str, Any] = {"group_id": self.group, "user_id": self.alice}
        self.onebot.notice("group_upload", file=file, **fields)
        told = self.event(GroupFile)
        self.assertEqual(self.done(self.protocol.fetchGroupFile(told)), PNG)

    def test_shared(self) -> None:
        """
        A file of a member is told once, though the program sends two events.
        """
        self.onebot.shareFile(self.group, self.alice, "a.txt", b"oolong")
        file = self.event(GroupFile)
        self.assertEqual(
            (file.group, file.sender, file.name, file.size),
            (self.group, self.alice, "a.txt", 6),
        )
