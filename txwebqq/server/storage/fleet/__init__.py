"""
Tables of what several server processes with one database have in common, and a single
one keeps in memory.
"""
