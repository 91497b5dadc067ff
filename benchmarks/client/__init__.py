"""
Measures of the client, and the clients that several of them use.
"""
