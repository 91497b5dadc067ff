"""
The gateway: QQ accounts for IRC clients.
"""
