"""
The IRC protocol: lines, batches, formatting and names.
"""
