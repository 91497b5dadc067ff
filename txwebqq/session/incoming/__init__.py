"""
Events that come twice, messages that do not come, and events that wait.
"""
