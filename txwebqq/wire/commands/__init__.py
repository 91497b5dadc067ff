"""
The requests of WebQQ, a module for each topic.
"""
