"""
The tests of a single server that are run with several processes as well.
"""

from __future__ import annotations

MODULES = (
    "api/test_contacts.py",
    "api/test_discussions.py",
    "api/test_filetransfers.py",
    "api/test_groupfiles.py",
    "api/test_groups.py",
    "api/test_interaction.py",
    "api/test_messages.py",
    "api/test_offlinefiles.py",
    "api/test_pictures.py",
    "api/test_profiles.py",
    "api/test_sentids.py",
    "api/test_signon.py",
    "api/test_temporary.py",
    "domain/test_sending.py",
    "http/test_authorization.py",
    "http/test_longpoll.py",
    "http/test_secrets.py",
    "http/test_signup.py",
    "http/test_uploads.py",
    "sessions/test_acknowledgement.py",
)

QUICK = frozenset(
    {
        "api/test_messages.py::test_groupMessage",
        "api/test_signon.py::test_signOn",
        "http/test_longpoll.py::test_heldPoll",
        "http/test_longpoll.py::test_keepAlive",
        "http/test_longpoll.py::test_oneOfEachConversation",
        "http/test_signup.py::test_signUp",
        "sessions/test_acknowledgement.py::test_neverAcknowledges",
        "sessions/test_acknowledgement.py::test_number",
        "sessions/test_acknowledgement.py::test_withoutIds",
    }
)
"""The names of those that do not take long together."""

_FILES = "several processes refuse files between two clients"
_GRACE = "several processes delete a file an hour later"
_INSIDE = "looks into the one server"
_ROTATION = "several processes do not change a ptwebqq"
_TURNS = "polls are answered when the database has told of the events"

OTHERS: dict[str, str] = {
    "api/test_filetransfers.py": _FILES,
    "api/test_groupfiles.py::test_daily": _INSIDE,
    "api/test_groupfiles.py::test_expires": _GRACE,
    "api/test_groupfiles.py::test_oldClients": _INSIDE,
    "api/test_groupfiles.py::test_rate": _INSIDE,
    "api/test_groupfiles.py::test_restart": _INSIDE,
    "api/test_offlinefiles.py::test_expires": _GRACE,
    "api/test_pictures.py::test_old": _INSIDE,
    "http/test_authorization.py::test_lapsed[ReceiveFile]": _FILES,
    "http/test_authorization.py::test_lapsed[SendFile]": _FILES,
    "http/test_authorization.py::test_loggedOut[ReceiveFile]": _FILES,
    "http/test_authorization.py::test_loggedOut[SendFile]": _FILES,
    "http/test_authorization.py::test_proofs[ReceiveFile]": _FILES,
    "http/test_authorization.py::test_proofs[SendFile]": _FILES,
    "api/test_signon.py::test_noTimers": "other processes may have sessions",
    "api/test_interaction.py::test_flood": _INSIDE,
    "api/test_interaction.py::test_floodWhileLocked": _INSIDE,
    "api/test_interaction.py::test_mentionedOften": _INSIDE,
    "api/test_signon.py::test_othersTicket": _INSIDE,
    "http/test_longpoll.py::test_rotation": _ROTATION,
    "http/test_longpoll.py::test_rotationWaits": _ROTATION,
    "http/test_longpoll.py::test_afterwards": "see test_stopping.py",
    "http/test_longpoll.py::test_batches": _TURNS,
    "http/test_longpoll.py::test_acceptedWhenStored": _TURNS,
    "http/test_longpoll.py::test_goneInBetween": _TURNS,
    "http/test_longpoll.py::test_newerPollInBetween": _TURNS,
    "sessions/test_acknowledgement.py::test_sameIds": _INSIDE,
}
"""Why modules and tests are not run."""
