"""
The IRC commands of clients, by topic.
"""
