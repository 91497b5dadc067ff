"""
The commands of the client as calls of OneBot 11.
"""
