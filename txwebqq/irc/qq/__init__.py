"""
QQ accounts, as the gateway and the relay use them.
"""
