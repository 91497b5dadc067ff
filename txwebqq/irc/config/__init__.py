"""
The configuration file of webqq-irc.
"""
