"""
PostgreSQL databases, behind the interface of L{txwebqq.databases.interface}.
"""
