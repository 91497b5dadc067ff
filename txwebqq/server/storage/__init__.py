"""
The server's database and the files beside it.
"""
