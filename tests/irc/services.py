"""
Atheme, which gives an InspIRCd the services NickServ and SaslServ.
"""

from __future__ import annotations

from tests.endtoend.daemons import Daemon, ProcessFolder, freePort
from tests.irc.programs import program
from tests.irc.servers import Ircd

LINK = """
<module name="sasl"><module name="services_account"><module name="spanningtree">
<bind address="127.0.0.1" port="{port}" type="servers">
<link name="services.test" ipaddr="127.0.0.1" port="{port}"
      allowmask="127.0.0.1/8" sendpass="link" recvpass="link">
<uline server="services.test" silent="yes">
<sasl target="services.test">
"""

MODULES = (
    "protocol/inspircd",
    "backend/opensex",
    "crypto/posix",
    "nickserv/main",
    "nickserv/ghost",
    "nickserv/identify",
    "nickserv/register",
    "saslserv/main",
    "saslserv/plain",
)

ATHEME = """
serverinfo {{
    name = "services.test"; desc = "Test"; numeric = "00A"; netname = "Test";
    recontime = 1; hidehostsuffix = "test"; adminname = "Test";
    adminemail = "admin@example.org"; registeremail = "admin@example.org";
    mta = "/bin/true"; auth = none; maxlogins = 5; maxusers = 5; mdlimit = 30;
    emaillimit = 10; emailtime = 300; casemapping = rfc1459;
}};
uplink "irc.test" {{
    host = "127.0.0.1"; port = {port}; send_password = "link";
    receive_password = "link";
}};
nickserv {{
    nick = "NickServ"; user = "NickServ"; host = "services.test"; real = "NickServ";
}};
saslserv {{
    nick = "SaslServ"; user = "SaslServ"; host = "services.test"; real = "SaslServ";
}};
general {{ silent; commit_interval = 5; language = "en"; }};
"""


class Atheme:
    """
    Atheme and the InspIRCd that it is linked to.

    @ivar ircd: the InspIRCd.
    """

    def __init__(self, processes: ProcessFolder) -> None:
        self._program = program("atheme-services")
        self._processes = processes
        port = freePort()
        self.ircd = Ircd(processes, "inspircd", LINK.format(port=port))
        modules = "".join(f'loadmodule "modules/{name}";\n' for name in MODULES)
        file = processes.folder / "atheme.conf"
        file.write_text(modules + ATHEME.format(port=port), encoding="utf-8")

    async def start(self) -> Daemon:
        """
        Start both, and wait until they are linked.
        """
        await self.ircd.start()
        folder = self._processes.folder
        # Relative names are those of Debian's folders.
        files = {"-c": "atheme.conf", "-l": "atheme.log", "-p": "atheme.pid", "-D": ""}
        argv = [
            word for key, name in files.items() for word in (key, str(folder / name))
        ]
        daemon = self._processes.run(self._program, "-n", *argv)
        await daemon.says("finished synching with uplink")
        return daemon
