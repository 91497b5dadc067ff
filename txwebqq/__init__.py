"""
WebQQ 3.0 for Twisted: a client, a server, and a gateway and a relay between QQ and
IRC.

An application imports from C{protocol}, C{service}, C{client}, C{model}, C{errors},
C{faces}, C{interfaces} and C{testing}; all other modules are internal.

C{protocol.md} in docstrings is C{docs/protocol.md} of the source distribution.
"""

__version__ = "0.1.0"
