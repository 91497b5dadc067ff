"""
WebQQ 3.0 for Twisted: a client, a server, and a gateway and a relay between QQ and
IRC.
"""

__version__ = "0.1.0"
