"""
Calls of bots, by topic, and what performs them.
"""
