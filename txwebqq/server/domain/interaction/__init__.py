"""
Rules of recalls, mutes, pokes, reactions and mentions.
"""
