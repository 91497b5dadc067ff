"""
Reactions to messages: emoticons of QQ or emoji, and the state of each.
"""

from __future__ import annotations

from collections import OrderedDict

from txwebqq.faces import faceNamed, nameOf
from txwebqq.irc.protocol.splitting import CONTROL_CHARACTERS
from txwebqq.model import Face, Text

MAX_REACTIONS = 1000
"""Maximum number of reactions whose state is remembered."""

MAX_EMOJI = 16
"""Maximum length of an emoji, in characters; the longest have eleven."""

# Of these, keycaps are made, such as 1️⃣.
_KEYS = "0123456789#*"


def reactionText(face: Face | Text) -> str:
    """
    Return a reaction as the value of a tag: an emoji, or the name of an emoticon
    as in texts, C{[微笑]}.
    """
    if isinstance(face, Face):
        return f"[{nameOf(face.id)}]"
    return "".join(CONTROL_CHARACTERS.sub("", face.text).split())


def parseReaction(value: str) -> Face | Text | None:
    """
    Return the reaction of a tag: an emoji, or an emoticon as C{[微笑]},
    C{:Smile:} or C{Smile}; L{None} for what QQ has no reaction for.
    """
    value = value.strip()
    for before, after in (("[", "]"), (":", ":"), ("", "")):
        if value.startswith(before) and value.endswith(after):
            face = faceNamed(value.removeprefix(before).removesuffix(after))
            if face is not None:
                return face
    return Text(value) if _isEmoji(value) else None


def _isEmoji(value: str) -> bool:
    isForeign = any(not character.isascii() for character in value)
    return (
        isForeign
        and len(value) <= MAX_EMOJI
        and not any(
            character.isalpha()
            or character.isspace()
            or (character.isascii() and character not in _KEYS)
            for character in value
        )
    )


class ReactionStates:
    """
    The reactions of late, so that none is shown twice: several accounts of a user
    are told of the same one, and an account of its own.
    """

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[int, int, str], bool] = OrderedDict()

    def change(self, serial: int, sender: int, text: str, isSet: bool) -> bool:
        """
        Note a reaction.

        @param serial: the serial of the message.
        @param text: the reaction, as L{reactionText}.
        @param isSet: L{False} for one that is taken back.

        @return: whether this was not known.
        """
        key = serial, sender, text
        isNew = self._states.get(key) is not isSet
        self._states[key] = isSet
        self._states.move_to_end(key)
        if len(self._states) > MAX_REACTIONS:
            self._states.popitem(last=False)
        return isNew
