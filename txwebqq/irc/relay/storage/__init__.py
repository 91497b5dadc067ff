"""
The database of the relay: queued messages, and the ids of those that were sent.
"""
