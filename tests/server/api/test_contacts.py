"""
Friend lists, group lists and their details, over HTTP.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import ALICE, BOB, CAROL, CATS, DAVE, ServerHarness

STALE = {"retcode": 100000, "errmsg": "vfwebqq is not valid"}


class RosterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.alice = self.harness.client(ALICE)

    def test_friends(self) -> None:
        """
        The friend list has all members that clients read, without category 0.
        """
        result = self.alice.ask(
            "/api/get_user_friends2", h="hello", vfwebqq=self.alice.vfwebqq
        ).response.result
        bob, carol = self.alice.uin(BOB), self.alice.uin(CAROL)
        by = {friend["uin"]: friend for friend in result["friends"]}
        self.assertEqual(by[bob], {"flag": 0, "uin": bob, "categories": 1})
        self.assertEqual(by[carol], {"flag": 0, "uin": carol, "categories": 0})
        self.assertEqual(
            result["marknames"], [{"uin": bob, "markname": "Bobby", "type": 0}]
        )
        self.assertEqual(
            result["categories"], [{"index": 1, "sort": 1, "name": "同学"}]
        )
        nicks = {entry["uin"]: entry["nick"] for entry in result["info"]}
        self.assertEqual(nicks, {bob: "Bob's", carol: "Carol"})
        for entry in result["info"]:
            self.assertLessEqual({"face", "flag", "nick", "uin"}, set(entry))
        self.assertEqual(
            [friend["uin"] for friend in result["friends"]],
            [entry["uin"] for entry in result["info"]],
        )

    def test_alias(self) -> None:
        """
        The path that the description misspells works too, with any hash.
        """
        wire = self.alice.ask(
            "/api/get_user_friend2", vfwebqq=self.alice.vfwebqq, hash="0B16"
        )
        self.assertEqual(len(wire.response.result["friends"]), 2)

    def test_perDirection(self) -> None:
        """
        A category and a private nickname belong to the owner of the list.
        """
        bob = self.harness.client(BOB)
        result = bob.ask("/api/get_user_friends2", vfwebqq=bob.vfwebqq).response.result
        self.assertEqual(result["marknames"], [])
        self.assertEqual(result["categories"], [])

    def test_groups(self) -> None:
        """
        The group list has a gid, a code, a name and the masks.
        """
        result = self.alice.ask(
            "/api/get_group_name_list_mask2", vfwebqq=self.alice.vfwebqq
        ).response.result
        (group,) = result["gnamelist"]
        self.assertEqual(group["gid"], self.alice.gid)
        self.assertEqual((group["name"], group["flag"]), ("cats", 0))
        self.assertNotIn(group["code"], (group["gid"], CATS))
        self.assertEqual(result["gmarklist"], [])
        self.assertEqual(result["gmasklist"][0], {"gid": 1000, "mask": 0})

    def code(self) -> int:
        session = self.harness.state.sessions.online(ALICE)
        assert session is not None
        return session.sessionIds.code(CATS)

    def test_groupInfo(self) -> None:
        """
        The details of a group have the members with their cards and statuses.
        """
        self.harness.client(BOB)
        result = self.alice.lookUp("get_group_info_ext2", f"gcode={self.code()}").result
        info = result["ginfo"]
        alice, bob, dave = (self.alice.uin(n) for n in (ALICE, BOB, DAVE))
        self.assertEqual(alice, ALICE)
        self.assertEqual(info["gid"], self.alice.gid)
        self.assertEqual(info["owner"], ALICE)
        self.assertEqual((info["name"], info["memo"]), ("cats", "meow"))
        self.assertEqual(
            {m["muin"]: m["mflag"] for m in info["members"]},
            {alice: 0, bob: 1, dave: 0},
        )
        self.assertEqual(result["cards"], [{"muin": bob, "card": "Tom"}])
        self.assertEqual(
            {s["uin"]: s["stat"] for s in result["stats"]}, {alice: 10, bob: 10}
        )
        keys = "face memo class fingermemo code createtime flag level name gid owner"
        self.assertLessEqual({*keys.split(), "members", "option"}, set(info))
        self.assertEqual(len(result["minfo"]), 3)

    def test_groupOfOthers(self) -> None:
        """
        Groups of other accounts and codes of other sessions are refused.
        """
        carol = self.harness.client(CAROL)
        session = self.harness.state.sessions.online(CAROL)
        assert session is not None
        for code in (session.sessionIds.code(CATS), self.code(), CATS, 0, 1000, -5):
            answer = carol.lookUp("get_group_info_ext2", f"gcode={code}").json
            self.assertEqual(answer["retcode"], 100001)

    def test_friendInfo(self) -> None:
        """
        The details of a friend have the profile and the status.
        """
        result = self.alice.lookUp("get_friend_info2", f"tuin={ALICE}").result
        self.assertEqual(result["nick"], "Alice")
        self.assertEqual(result["gender"], "female")
        self.assertEqual(result["birthday"], {"year": 1990, "month": 10, "day": 1})
        self.assertEqual((result["stat"], result["client_type"]), (10, 41))
        bob = self.alice.uin(BOB)
        result = self.alice.lookUp("get_friend_info2", f"tuin={bob}").result
        self.assertEqual((result["uin"], result["stat"]), (bob, 20))
        self.assertNotIn("client_type", result)

    def test_strangersInfo(self) -> None:
        """
        The details of an account that is neither a friend nor a member of a common
        group are refused.
        """
        carol = self.harness.client(CAROL)
        for uin in (carol.uin(BOB), self.alice.uin(BOB), BOB, 0, 10000):
            for path in ("get_friend_info2", "get_friend_uin2"):
                answer = carol.lookUp(path, f"tuin={uin}&type=1").json
                self.assertEqual(answer["retcode"], 100001, (path, uin))

    def test_numbers(self) -> None:
        """
        The number is returned of a friend, a member, a group and the account
        itself.
        """
        for query, number in (
            (f"tuin={self.alice.uin(BOB)}&verifysession=&type=1&code=", BOB),
            (f"tuin={self.alice.uin(DAVE)}&type=1", DAVE),
            (f"tuid={self.alice.uin(BOB)}&type=1", BOB),
            (f"tuin={self.code()}&type=4", CATS),
            (f"tuin={self.code()}&type=1", CATS),
            (f"tuin={ALICE}", ALICE),
        ):
            result = self.alice.lookUp("get_friend_uin2", query).result
            self.assertEqual(result["account"], number, query)
            self.assertEqual(str(result["uin"]), query.split("&")[0].split("=")[1])

    def test_stale(self) -> None:
        """
        Requests without a valid vfwebqq are refused.
        """
        self.alice.vfwebqq = "0" * 80
        for path in (
            "get_friend_info2",
            "get_friend_uin2",
            "get_user_friends2",
            "get_group_name_list_mask2",
            "get_group_info_ext2",
        ):
            answer = self.alice.lookUp(path, "tuin=10001&gcode=1").json
            self.assertEqual(answer, STALE)

    def test_sessionsDiffer(self) -> None:
        """
        Two sessions have different uins for the same account.
        """
        bob = self.harness.client(BOB)
        self.assertNotEqual(bob.uin(DAVE), self.alice.uin(DAVE))
