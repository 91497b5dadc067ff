"""
The events that a poll brings.
"""
