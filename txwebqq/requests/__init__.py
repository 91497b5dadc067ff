"""
Requests that a protocol can send to the server, by topic.
"""
