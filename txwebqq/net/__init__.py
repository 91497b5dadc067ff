"""
HTTP and TCP for client, server and IRC: nothing here knows WebQQ.
"""
