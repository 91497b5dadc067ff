"""
The bot that answers for the gateway itself.
"""
