"""
Prosody and ejabberd with BOSH, archives of messages and off-line storage.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.peers.bosh import DOMAIN, PASSWORD, BOSHSession
from benchmarks.peers.chat import ChatServer, Population
from benchmarks.peers.processes import (
    ServerProcess,
    program,
    running,
    temporaryFolder,
)
from benchmarks.processes import freePort

PROSODY = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ warn = "{folder}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {clientPort} }}
http_ports = {{ {port} }}
https_ports = {{ }}
modules_disabled = {{ "s2s" }}
modules_enabled = {{
    "bosh"; "disco"; "mam"; "roster"; "saslauth";
}}
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
consider_bosh_secure = true
bosh_max_wait = 3600
storage = "internal"
VirtualHost "{domain}"
Component "rooms.{domain}" "muc"
    modules_enabled = {{ "muc_mam" }}
    muc_room_default_presence_broadcast = {{
        visitor = false; participant = false; moderator = true;
    }}
"""

EJABBERD = """
hosts: ["{domain}"]
loglevel: warning
auth_method: internal
auth_password_format: plain
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /http-bind: mod_bosh
access_rules:
  everybody:
    allow: all
shaper_rules:
  max_user_offline_messages: infinity
modules:
  mod_bosh:
    max_inactivity: 600
  mod_disco: {{}}
  mod_mam:
    default: {archive}
  mod_muc:
    host: "rooms.{domain}"
    access_create: everybody
    max_users: 5000
    default_room_options:
      mam: true
      max_users: 5000
      presence_broadcast: [moderator]
  mod_offline:
    access_max_user_messages: max_user_offline_messages
  mod_roster: {{}}
"""


class XMPPServer:
    """
    A running server (L{ChatServer<benchmarks.peers.chat.ChatServer>}).

    @ivar clientPort: the port of XMPP without HTTP, 0 for none.
    """

    echoesGroup = True

    def __init__(self, process: ServerProcess, port: int, clientPort: int = 0) -> None:
        self.process = process
        self.port = port
        self.clientPort = clientPort

    def session(self, n: int) -> BOSHSession:
        return BOSHSession(self.port, "/http-bind", n)


class ProsodyStarter:
    """
    Starts Prosody (L{Starter<benchmarks.peers.chat.Starter>}).

    @param clientPorts: the ports that XMPP without HTTP may have, the first one that
        is free; empty for any.
    """

    def __init__(self, clientPorts: Sequence[int] = ()) -> None:
        self._clientPorts = clientPorts

    def check(self) -> None:
        program("prosody", "prosody")

    @contextmanager
    def __call__(self, population: Population) -> Iterator[XMPPServer]:
        name = program("prosody", "prosody")
        with temporaryFolder() as folder:
            _writeProsodyAccounts(folder / "data" / DOMAIN, population)
            port = freePort()
            clientPort = _freeAmong(self._clientPorts) or freePort()
            file = folder / "prosody.cfg.lua"
            text = PROSODY.format(
                folder=folder, port=port, clientPort=clientPort, domain=DOMAIN
            )
            file.write_text(text)
            argv = [name, "--config", str(file), "-F"]
            with running(argv, folder) as process:
                process.awaitPort(port)
                yield XMPPServer(process, port, clientPort)


def _freeAmong(ports: Sequence[int]) -> int:
    """
    Return a port on which no program listens; 0 when there is none.
    """
    for port in ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    return 0


def _writeProsodyAccounts(folder: Path, population: Population) -> None:
    (folder / "accounts").mkdir(parents=True)
    (folder / "roster").mkdir()
    for n, friends in population.friends().items():
        account = folder / "accounts" / f"u{n}.dat"
        account.write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')
        items = "".join(
            f'["u{friend}@{DOMAIN}"] = {{ ["subscription"] = "both";'
            f' ["groups"] = {{}}; }};\n'
            for friend in friends
        )
        roster = folder / "roster" / f"u{n}.dat"
        roster.write_text(f'return {{ [false] = {{ ["version"] = 1; }};\n{items} }};\n')


class EjabberdStarter:
    """
    Starts ejabberd (L{Starter<benchmarks.peers.chat.Starter>}). Its Erlang node has
    no name, so it needs no epmd.

    @param isArchiving: whether the messages of all accounts are archived. Without,
        as is its default, an account has to ask for it.
    """

    def __init__(self, isArchiving: bool) -> None:
        self._archive = "always" if isArchiving else "never"

    def check(self) -> None:
        program("ejabberdctl", "ejabberd")

    @contextmanager
    def __call__(self, population: Population) -> Iterator[ChatServer]:
        program("ejabberdctl", "ejabberd")
        with temporaryFolder() as folder:
            port = freePort()
            configuration = folder / "ejabberd.yml"
            configuration.write_text(
                EJABBERD.format(port=port, domain=DOMAIN, archive=self._archive)
            )
            (folder / "accounts.term").write_text(_ejabberdAccounts(population))
            library = next(Path("/usr/lib").glob("*/ejabberd-*/ebin")).parents[1]
            argv = ["erl", "-noinput", "+K", "true", "+P", "250000"]
            argv += ["-mnesia", "dir", f'"{folder}/spool"', "-s", "ejabberd"]
            environment = {
                "EJABBERD_CONFIG_PATH": str(configuration),
                "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
                "ERL_CRASH_DUMP_BYTES": "0",
                "ERL_LIBS": str(library),
                "ERL_MAX_PORTS": "32000",
            }
            populate = [
                "-eval",
                _POPULATE.format(folder=folder, domain=DOMAIN, password=PASSWORD),
            ]
            # By another process, since memory that this leaves free would be used by
            # the measure.
            with running([*argv, *populate], folder, environment) as process:
                process.awaitEnd()
            with running(argv, folder, environment) as process:
                process.awaitPort(port)
                yield XMPPServer(process, port)


# Written without transactions: accounts registered one by one take a minute.
_POPULATE = """
{{ok, Accounts}} = file:consult("{folder}/accounts.term"),
ok = application:ensure_started(ejabberd),
Host = <<"{domain}">>,
lists:foreach(fun({{User, Friends}}) ->
    ok = mnesia:dirty_write({{passwd, {{User, Host}}, <<"{password}">>}}),
    lists:foreach(fun(Friend) ->
        Contact = {{Friend, Host, <<>>}},
        ok = mnesia:dirty_write({{roster, {{User, Host, Contact}}, {{User, Host}},
            Contact, Friend, both, none, [], <<>>, []}})
    end, Friends)
end, Accounts),
init:stop().
"""


def _ejabberdAccounts(population: Population) -> str:
    lines = []
    for n, friends in population.friends().items():
        names = ",".join(f'<<"u{friend}">>' for friend in friends)
        lines.append(f'{{<<"u{n}">>, [{names}]}}.\n')
    return "".join(lines)
