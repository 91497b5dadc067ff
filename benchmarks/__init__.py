"""
Benchmarks of txwebqq, each beside a yardstick: C{make bench}.
"""
