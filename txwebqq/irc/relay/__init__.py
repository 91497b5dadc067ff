"""
The relay: QQ groups and IRC channels as one room.
"""
