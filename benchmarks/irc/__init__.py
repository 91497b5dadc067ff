"""
Measures of IRC: the parser of its lines, and the gateway.
"""
