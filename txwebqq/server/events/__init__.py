"""
Events for accounts: queued, stored and numbered.
"""
