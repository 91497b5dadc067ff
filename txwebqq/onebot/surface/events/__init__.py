"""
Events of an account as those of OneBot, by topic.
"""
