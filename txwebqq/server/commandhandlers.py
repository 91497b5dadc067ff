"""
The handlers of all commands, with the rules that they apply.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from txwebqq.server.api.contacts import ContactsAPI
from txwebqq.server.api.discussions import DiscussionsAPI
from txwebqq.server.api.filetransfers import FileTransfersAPI
from txwebqq.server.api.friends import FriendsAPI
from txwebqq.server.api.groupadmin import GroupAdminAPI
from txwebqq.server.api.groupmember import GroupMemberAPI
from txwebqq.server.api.groups import GroupsAPI
from txwebqq.server.api.history import HistoryAPI
from txwebqq.server.api.interaction import InteractionAPI
from txwebqq.server.api.messages import MessagesAPI
from txwebqq.server.api.offlinefiles import GroupFilesAPI, OfflineFilesAPI
from txwebqq.server.api.pictures import PicturesAPI
from txwebqq.server.api.profiles import ProfilesAPI
from txwebqq.server.api.settings import SettingsAPI
from txwebqq.server.api.signon import SignOnAPI
from txwebqq.server.api.temporary import TemporaryChatAPI
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.files.offline import GroupFiles, OfflineFiles
from txwebqq.server.domain.files.transfers import Transfers
from txwebqq.server.domain.friends import FriendRules
from txwebqq.server.domain.groupmembers import GroupMemberSettings
from txwebqq.server.domain.groups import GroupRules
from txwebqq.server.domain.interaction.mutes import MuteRules
from txwebqq.server.domain.interaction.reactions import ReactionRules
from txwebqq.server.domain.interaction.readmarkers import ReadMarkerRules
from txwebqq.server.domain.interaction.recalls import RecallRules
from txwebqq.server.domain.messaging import MessageRules
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.state import ServerState
from txwebqq.server.domain.temporary import TemporaryChatRules
from txwebqq.server.http.downloads import Downloads
from txwebqq.server.http.filerelay import FileRelays
from txwebqq.server.http.handlers import handlersOf
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.sessions.signatures import Signer
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.uploadquotas import FileLimits
from txwebqq.wire.command import Command


class CommandHandlers:
    """
    The handlers of all commands but polls.

    @param draw: renders the image of a captcha from its text; without it there are no
        captchas.

    @ivar byCommand: the handlers.
    @ivar offlineFiles: the rules of offline files.
    @ivar relays: the file transfers between two clients.
    @ivar history: the handlers of the message history.
    """

    def __init__(
        self,
        state: ServerState,
        clock: IReactorTime,
        random: Random,
        draw: Callable[[str], bytes] | None,
        blobs: BlobStore,
        limits: FileLimits,
    ) -> None:
        now = clock.seconds
        self.offlineFiles = OfflineFiles(state, now, random, limits)
        transfers = Transfers(state, random)
        self.relays = FileRelays(transfers, clock, limits.online)
        self.history = HistoryAPI(state, ReadMarkerRules(state), clock)
        downloads = Downloads(
            blobs, state.sessions, Signer(state.store, "links", random), now
        )
        pictures = PictureRules(state, now, random)
        messageRules = MessageRules(state, pictures)
        discussionRules = DiscussionRules(state, pictures)
        groupRules = GroupRules(state, now)
        groupSettings = GroupMemberSettings(state, groupRules)
        friendRules = FriendRules(state, now, random)
        self.byCommand: dict[type[Command[Any]], Callable[..., Any]] = {}
        for api in (
            SignOnAPI(state, now, random, draw),
            MessagesAPI(state, messageRules),
            InteractionAPI(
                RecallRules(state), MuteRules(state, groupRules), ReactionRules(state)
            ),
            PicturesAPI(pictures, friendRules, blobs, downloads),
            OfflineFilesAPI(self.offlineFiles, pictures, downloads),
            GroupFilesAPI(GroupFiles(state, now, random)),
            FileTransfersAPI(transfers, self.relays),
            ContactsAPI(state),
            ProfilesAPI(state, friendRules),
            FriendsAPI(state, friendRules),
            self.history,
            SettingsAPI(state),
            GroupsAPI(state, groupRules, messageRules),
            GroupMemberAPI(groupSettings, discussionRules),
            GroupAdminAPI(groupRules),
            DiscussionsAPI(state, discussionRules),
            TemporaryChatAPI(state, TemporaryChatRules(state, random)),
        ):
            self.byCommand.update(handlersOf(api))
