"""
The handlers of commands, a module for each topic.
"""
