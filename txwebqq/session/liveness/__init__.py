"""
Signs that a session, or the whole process, has stood still.
"""
