"""
Rules of files: those that the server keeps, and transfers between two clients.
"""
