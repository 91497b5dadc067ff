"""
Accounts of today's QQ, by way of programs that speak OneBot 11.
"""
