"""
The ways in which a captcha is shown to a person and answered.
"""
