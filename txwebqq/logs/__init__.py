"""
The logs of the daemons: their formats, levels and files.
"""
