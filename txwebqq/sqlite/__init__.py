"""
SQLite databases: opening, schemas and migrations.
"""
