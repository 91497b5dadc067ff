"""
OneBot 11 in memory, for tests of applications.
"""
