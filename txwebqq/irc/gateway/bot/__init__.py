"""
The bot C{*qq}, which takes commands from the gateway's users.
"""
