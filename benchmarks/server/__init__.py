"""
Measures of the server, and the sockets that they send requests with.
"""
