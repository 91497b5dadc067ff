"""
How fast txwebqq is, and how fast one could be: C{make bench}.
"""
