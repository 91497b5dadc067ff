"""
Mentions, replies, recalls, mutes, pokes, reactions, files and notices, on QQ and IRC.
"""
