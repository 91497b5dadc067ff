"""
Sessions, captchas, registration and online time.
"""
