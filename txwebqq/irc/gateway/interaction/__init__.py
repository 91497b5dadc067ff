"""
Mentions, replies, recalls, mutes, pokes, reactions and notices, between QQ and IRC.
"""
