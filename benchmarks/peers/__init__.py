"""
The same work by txwebqq and by other servers, side by side.
"""
