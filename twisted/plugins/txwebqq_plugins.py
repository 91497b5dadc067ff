"""
The C{twistd} commands of this package. A command's module is imported when the
command is run.
"""

from twisted.application.service import ServiceMaker

webqq = ServiceMaker(
    "WebQQ client",
    "txwebqq.commands.tap",
    "A WebQQ account that is kept signed on.",
    "webqq",
)

webqqServer = ServiceMaker(
    "WebQQ server",
    "txwebqq.server.tap",
    "A self-hosted WebQQ 3.0 server.",
    "webqq-server",
)

webqqIRC = ServiceMaker(
    "WebQQ for IRC",
    "txwebqq.irc.tap",
    "QQ accounts for IRC clients.",
    "webqq-irc",
)

webqqOneBot = ServiceMaker(
    "WebQQ for OneBot",
    "txwebqq.commands.onebottap",
    "QQ accounts for bots that speak OneBot 11.",
    "webqq-onebot",
)
