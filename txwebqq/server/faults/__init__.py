"""
Faults on purpose: for tests of clients against a network and a server that fail.
"""
