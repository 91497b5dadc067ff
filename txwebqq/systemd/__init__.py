"""
Notification of a service manager such as systemd, and the sockets that it passes on.
"""
