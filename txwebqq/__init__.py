"""
WebQQ 3.0 for Twisted: a client, a server and the way between QQ and IRC.
"""
