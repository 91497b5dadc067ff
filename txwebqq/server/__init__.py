"""
A self-hosted WebQQ 3.0 server.
"""
