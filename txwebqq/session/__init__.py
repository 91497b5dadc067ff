"""
The sign-on of one account, and what runs while it is online.
"""
