"""
QQ for people on IRC: a gateway and a relay.
"""
