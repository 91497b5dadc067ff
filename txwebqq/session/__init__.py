"""
Sign-on and session of one account: state machine, driver, transport, poll loop,
event queue and callbacks.
"""
