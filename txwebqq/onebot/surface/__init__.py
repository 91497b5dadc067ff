"""
OneBot 11 for the bots of others: an account of this package as they expect one of
today's QQ.
"""
