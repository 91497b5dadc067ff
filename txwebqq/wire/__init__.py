"""
The wire format of WebQQ: commands and events, encoded and decoded for client and
server, without any input or output.
"""
