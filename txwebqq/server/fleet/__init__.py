"""
Several server processes with one PostgreSQL database.
"""
