"""
The codec: bytes to values and back, both directions, no input or output.
"""
