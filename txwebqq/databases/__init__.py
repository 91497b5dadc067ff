"""
Databases of either engine, SQLite and PostgreSQL, behind one interface.
"""
