"""
HTTP and TCP for the client, the server and IRC.
"""
