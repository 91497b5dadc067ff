"""
Secrets that must not get into logs: digests, tickets, keys.
"""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from tests.wire.rows import DIGEST, LANDING, PSESSIONID, PTWEBQQ, VFWEBQQ
from tests.wire.test_commands import ROWS, formOf, name
from txwebqq.errors import MalformedReply
from txwebqq.model import Account, Code, Gid, GroupFile, Number, OfflineFile, Uin
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.contacts import GetFriendInfo2, GetUserFriends2
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.commands.offlinefiles import DeleteGroupFile2, GroupFileDownload
from txwebqq.wire.commands.signon import Check, CheckSig, Login, Login2, LoginReply
from txwebqq.wire.form import Form, Ticket, encodeForm

WHOLE = Ticket("47283951", PSESSIONID, VFWEBQQ, PTWEBQQ)
SKEY = "@aB3dE5fG7"
VERIFY = "verifysession0123"
SECRETS = (DIGEST, LANDING, PSESSIONID, PTWEBQQ, SKEY, VERIFY, VFWEBQQ)


def checkNoSecret(text: str) -> None:
    """
    Fail for a text with one of the secrets in it, or with the end of one.
    """
    for secret in SECRETS:
        assert secret[-10:] not in text


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_rows(row: Any) -> None:
    """
    No request and no reply shows a secret.
    """
    checkNoSecret(repr(row.request))
    checkNoSecret(str(row.request))
    checkNoSecret(repr(row.reply))
    for _, reply in row.quoted:
        checkNoSecret(repr(reply))
    checkNoSecret(repr(formOf(row.request)))


@pytest.mark.parametrize(
    "value",
    [
        WHOLE,
        Login("300100200", DIGEST, "!K7Q"),
        Login2(WHOLE),
        CheckSig(LANDING),
        LoginReply(0, 0, LANDING),
        Poll2(WHOLE),
        # The ptwebqq can be computed from one of the hashes.
        GetUserFriends2(WHOLE, PTWEBQQ),
        GetFriendInfo2(WHOLE, Uin(5), VERIFY, "abcd"),
        Refusal(116, ptwebqq=PTWEBQQ),
        OfflineFile(Uin(5), "a.txt", 5, PTWEBQQ, "127.0.0.1", 80),
        GroupFile(Gid(1), Code(2), Number(200001), Uin(5), "a.txt", 5, PTWEBQQ),
        GroupFileDownload(WHOLE, Gid(1), VERIFY),
        DeleteGroupFile2(WHOLE, Gid(1), VERIFY),
        Account(Number(10001), SKEY),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values(value: Any) -> None:
    """
    Values with secrets in them do not show the secrets.
    """
    checkNoSecret(repr(value))
    checkNoSecret(str(value))


BROKEN: list[tuple[type[Command[Any]], str]] = [
    (Login2, '{"retcode":0,"result":{"uin":1,"psessionid":"%s"}}'),
    (Login2, '{"retcode":0,"result":{"uin":1,"psessionid":"%s","vfwebqq":5}}'),
    (Login2, '{"retcode":0,"result":{"uin":{},"psessionid":"%s","vfwebqq":"x"}}'),
    (Login2, '{"retcode":0,"result":{"psessionid":"%s"'),
    (Login2, '{"retcode":0,"result":["%s"]}'),
    (Poll2, '{"retcode":116,"p":"%s"'),
    (Poll2, '{"retcode":{},"p":"%s"}'),
    (Login, "ptuiCB('0','0','http://x/%s"),
    (Login, "ptuiCB('0','0','http://[%s','0','', '');"),
    (Check, "ptui_checkVC('%s');"),
    (Check, "%s"),
]


@pytest.mark.parametrize(("command", "body"), BROKEN)
@pytest.mark.parametrize("secret", [PTWEBQQ, PSESSIONID])
def test_errors(command: type[Command[Any]], body: str, secret: str) -> None:
    """
    An error about a reply, and its cause, do not quote the reply.
    """
    with pytest.raises(MalformedReply) as caught:
        command.decodeReply((body % secret).encode())
    checkNoSecret(repr(caught.value))
    checkNoSecret("".join(traceback.format_exception(caught.value)))


@pytest.mark.parametrize(
    "pairs",
    [
        [("p", DIGEST), ("u", "1")],
        [("r", f'{{"ptwebqq":"{PTWEBQQ}"')],
        [("r", f'["{PTWEBQQ}"]')],
        [("r", f'{{"psessionid":["{PSESSIONID}"],"to":"x"}}')],
        [("psessionid", PSESSIONID), ("to", "1")],
    ],
)
def test_requests(pairs: list[tuple[str, str]]) -> None:
    """
    An error about a request does not quote the request.
    """
    for row in ROWS:
        try:
            row.command.decodeFields(Form.parse(b"", encodeForm(pairs)))
        except MalformedReply as e:
            checkNoSecret("".join(traceback.format_exception(e)))
