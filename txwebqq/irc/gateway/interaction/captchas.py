"""
Captchas that a user of the gateway is asked to read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, fail

from txwebqq.errors import CaptchaUnsolved
from txwebqq.irc.gateway.conversations import Conversations


class CaptchaQuestions:
    """
    The captchas of the accounts of one user that wait for their texts, by number of
    the account, the oldest first.

    @param link: makes a link to a picture, L{None} when pictures have no links.
    @param advice: the sentence that tells where else captchas are answered.
    """

    def __init__(
        self,
        conversations: Conversations,
        link: Callable[[bytes], str | None],
        advice: str,
    ) -> None:
        self._advice = advice
        self._conversations = conversations
        self._link = link
        self._waiting: dict[int, Deferred[str]] = {}

    def ask(self, number: int, image: bytes) -> Awaitable[str]:
        """
        Ask the user to read the captcha of an account.

        @return: fires with the text; fails with L{CaptchaUnsolved} if the picture
            cannot be shown. When it is cancelled, the user is told.
        """
        notify = self._conversations.notify
        link = self._link(image)
        if link is None:
            notify(
                f"The server requires a captcha of {number}, which cannot be shown here"
                f" without pictures-listen in the configuration. {self._advice}"
            )
            return fail(CaptchaUnsolved("the gateway cannot show pictures"))
        notify(f"Captcha for {number}: {link}")
        notify(f"Answer with: captcha {number} TEXT")

        def withdraw(answer: Deferred[str]) -> None:
            self._waiting.pop(number, None)
            notify(f"The captcha for {number} needs no answer any more")

        answer = self._waiting[number] = Deferred(withdraw)
        return answer

    def answer(self, text: str, number: int | None = None) -> str:
        """
        Answer the captcha of an account, or the oldest one.

        @return: the reply to the user.
        """
        if number is None and self._waiting:
            number = next(iter(self._waiting))
        answer = None if number is None else self._waiting.pop(number, None)
        if answer is None:
            return "There is no captcha to answer."
        answer.callback(text)
        return f"The answer for {number} was passed on."
