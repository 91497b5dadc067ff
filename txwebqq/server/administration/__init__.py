"""
The commands of C{webqq-admin}, by topic.
"""
