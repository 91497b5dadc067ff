"""
The relay as a client of one IRC network: confirmations, joins, playback, nick.
"""
