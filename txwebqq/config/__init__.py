"""
Configuration files and password files.
"""
