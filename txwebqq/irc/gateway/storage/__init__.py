"""
The gateway's database.
"""
