"""
A QQ account as gateway and relay see it.
"""
