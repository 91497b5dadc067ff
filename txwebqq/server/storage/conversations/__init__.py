"""
Tables of conversations: the history of messages, and how far each account has read it.
"""
