"""
The endpoint at which operators watch a daemon: health, readiness and metrics.
"""
