"""
The chat page that a server shows in browsers.
"""
