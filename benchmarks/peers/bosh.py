"""
XMPP sessions over BOSH (XEP-0124, XEP-0206).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import deque

from benchmarks.peers.chat import WAIT
from benchmarks.peers.connection import HTTPConnection

DOMAIN = "localhost"

ROOM = f"room@rooms.{DOMAIN}"

PASSWORD = "p"

RESOURCE = "bench"

_XML = "text/xml; charset=utf-8"

_TERMINATED = re.compile(rb"""<body[^>]*type=['"]terminate""")
_MESSAGE = re.compile(rb"<message[ >]")
_SID = re.compile(rb"""\bsid=['"]([^'"]+)""")

_BODY = (
    "<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid}'{more}>"
    "{stanzas}</body>"
)

_FIRST = (
    f" to='{DOMAIN}' wait='{WAIT}' hold='1' ver='1.6' xml:lang='en'"
    " xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'"
)

_RESTART = f" to='{DOMAIN}' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'"


class BOSHSession:
    """
    A session (L{ChatSession<benchmarks.peers.chat.ChatSession>}) with two
    connections, one of which has the held request; a request with stanzas goes by
    the other, and the server then replies to the one that it held.
    """

    def __init__(self, port: int, path: str, n: int) -> None:
        self.received = 0
        self._port = port
        self._path = path
        self._n = n
        self._rid = 1_000_000 * (n + 1)
        self._sid = ""
        self._idle = [HTTPConnection(port, _XML)]
        self._asked: deque[HTTPConnection] = deque()
        self._count = 0

    def signOn(self) -> None:
        self._post("", _FIRST)
        reply = self._read()
        found = _SID.search(reply)
        if found is None:
            raise SystemExit(f"no session: {reply!r}")
        self._sid = found[1].decode()
        self._await(b"PLAIN", reply)
        secret = b64encode(f"\0u{self._n}\0{PASSWORD}".encode()).decode()
        self._post(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
            f"{secret}</auth>"
        )
        self._await(b"<success")
        self._post("", _RESTART)
        self._await(b"xmpp-bind")
        self._post(
            "<iq type='set' id='bind' xmlns='jabber:client'>"
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<resource>{RESOURCE}</resource></bind></iq>"
        )
        self._await(b"</jid>")
        self._post(
            "<iq type='get' id='roster' xmlns='jabber:client'>"
            "<query xmlns='jabber:iq:roster'/></iq>"
        )
        self._await(b"jabber:iq:roster")
        self._post("<presence xmlns='jabber:client'/>")

    def joinGroup(self) -> None:
        self._post(
            f"<presence xmlns='jabber:client' to='{ROOM}/u{self._n}'>"
            "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
            "</presence>"
        )
        # The status of one's own presence (XEP-0045).
        self._await(b"110")
        if not self._n:
            # Only the one who has made the room is asked for its configuration.
            self._post(
                f"<iq type='set' id='room' xmlns='jabber:client' to='{ROOM}'>"
                "<query xmlns='http://jabber.org/protocol/muc#owner'>"
                "<x xmlns='jabber:x:data' type='submit'/></query></iq>"
            )
            self._await(b"id='room'", orElse=b'id="room"')

    def send(self, to: int, text: str) -> None:
        self._say(f"u{to}@{DOMAIN}", "chat", text)

    def sendToGroup(self, text: str) -> None:
        self._say(ROOM, "groupchat", text)

    def _say(self, to: str, kind: str, text: str) -> None:
        self._count += 1
        self._post(
            f"<message xmlns='jabber:client' to='{to}' type='{kind}'"
            f" id='m{self._count}'><body>{text}</body></message>"
        )

    def awaitSent(self) -> None:
        self._read()
        self._hold()

    def awaitReceived(self, count: int) -> None:
        while self.received < count:
            self._hold()
            self._read()
        self._hold()

    def readPending(self) -> None:
        self._hold()
        while self._asked[0].isReadable():
            self._read()
            self._hold()

    def fileno(self) -> int:
        return self._asked[0].fileno()

    def close(self) -> None:
        for connection in (*self._idle, *self._asked):
            connection.close()

    def _hold(self) -> None:
        """
        Send an empty request, if there is none to reply to.
        """
        if not self._asked:
            self._post("")

    def _await(
        self, wanted: bytes, reply: bytes = b"", orElse: bytes = b"\xff"
    ) -> None:
        while wanted not in reply and orElse not in reply:
            if b"type='terminate'" in reply or b"<failure" in reply:
                raise SystemExit(f"no {wanted!r}: {reply!r}")
            self._hold()
            reply = self._read()

    def _post(self, stanzas: str, more: str = "") -> None:
        connection = (
            self._idle.pop() if self._idle else HTTPConnection(self._port, _XML)
        )
        self._rid += 1
        if self._sid:
            more = f" sid='{self._sid}'{more}"
        body = _BODY.format(rid=self._rid, more=more, stanzas=stanzas)
        connection.post(self._path, body.encode())
        self._asked.append(connection)

    def _read(self) -> bytes:
        connection = self._asked.popleft()
        reply = connection.read()
        self._idle.append(connection)
        if _TERMINATED.search(reply):
            raise SystemExit(f"the session was ended: {reply!r}")
        self.received += len(_MESSAGE.findall(reply))
        return reply
