"""
IRC: lines, batches, formatting and names.
"""
