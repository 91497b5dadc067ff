"""
What a protocol can ask the server, by topic.
"""
