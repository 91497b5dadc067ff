"""
The commands C{twistd webqq}, C{twistd webqq-onebot} and C{webqq-admin}.
"""
