"""
Database tables and files of the server, one module for each topic.
"""
