"""
Mentions, replies, recalls, mutes, pokes and reactions, between QQ and IRC.
"""
