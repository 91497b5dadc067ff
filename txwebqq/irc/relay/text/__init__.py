"""
Texts of the relay: names before lines, quotes, mentions, long texts and copies.
"""
