"""
Measures with many accounts, events or friends.
"""
