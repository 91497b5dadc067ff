"""
HTTP: exchanges, held polls, uploads and downloads.
"""
