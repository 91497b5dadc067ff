"""
The rules of the server, without network and clock.
"""
