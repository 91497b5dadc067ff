"""
The commands of WebQQ, a module for each topic.
"""
