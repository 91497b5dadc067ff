"""
The durable queue of messages that an application sends.
"""
