"""
The messages and other events that wait for their recipients, and their writing.
"""
