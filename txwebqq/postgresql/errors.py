"""
Errors of PostgreSQL, for callers that do not import its driver.
"""

from __future__ import annotations

_TEMPORARY = (
    "08",  # the connection
    "25P03",  # a transaction that was idle for too long
    "40",  # a conflict with another transaction
    "53",  # resources
    "55P03",  # a lock
    "57014",  # a statement that took too long
    "57P",  # the server stops or starts
)


class StatementFailed(Exception):
    """
    A statement has failed. The text has no values of rows, which may be secret.

    @ivar state: the C{SQLSTATE}, C{""} when the server has sent none.
    """

    def __init__(self, problem: str, state: str = "") -> None:
        super().__init__(problem)
        self.state = state

    @property
    def isTemporary(self) -> bool:
        """
        True when the transaction can be repeated later.
        """
        return self.state.startswith(_TEMPORARY) or not self.state

    @property
    def isLocked(self) -> bool:
        """
        True when the statement has waited too long for a lock.
        """
        return self.state == "55P03"

    @property
    def isTooLong(self) -> bool:
        """
        True when the statement took too long.
        """
        return self.state == "57014"
