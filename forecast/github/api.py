"""Calls to GitHub's REST API: authorisation, rate limits and error messages."""

from __future__ import annotations

import email.utils
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import quote, urljoin

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecast.errors import ArtifactError
from forecast.http import (
    ExchangeError,
    Limits,
    Reply,
    TooLargeError,
    fetch,
    url_origin,
    without_user,
)
from forecast.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

API = "https://api.github.com"
API_VERSION = "2022-11-28"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FORBIDDEN, NOT_FOUND = 403, 404
RIGHTS = "Actions: read and Contents: read"  # what a token must allow

_MAX_JSON = 8 << 20
_MINUTE = 60.0
_HOUR = 3600.0
_MAX_REDIRECTS = 2
_MAX_BLOB_REDIRECTS = 2
_OK, _NOT_MODIFIED, _UNAUTHORISED = 200, 304, 401
_GONE, _TOO_MANY, _SERVER_FAULT = 410, 429, 500


class Schema(BaseModel):
    """Base of the schemas of GitHub's replies: strict types, unknown fields ignored."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Repository(Schema):
    full_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$")]


class TransientArtifactError(ArtifactError):
    """A failure that the next attempt may not meet."""


SchemaT = TypeVar("SchemaT", bound=Schema)


class _Bearer(requests.auth.AuthBase):
    """Sends the token; as an auth object, so that ~/.netrc cannot take its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class GitHub:
    """One repository's REST API, for one thread at a time.

    It never waits: a rate limit is raised with ``retry_after``, and until then every call
    raises without asking GitHub.

    Args:
        session: Sends the calls; see ``forecast.http.new_session``.
        owner: The user or organisation whose repository it is.
        repo: The repository.
        token: A token with ``rights``, or None.
        url: Where the API is.
        clock: The current time; only differences between two calls matter.
        limits: Bounds of one call.
        rights: The permissions that the token needs, as GitHub calls them.

    Attributes:
        moved: What to change if the repository has another name now; empty if it has not.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        owner: str,
        repo: str,
        token: str | None,
        url: str,
        clock: Callable[[], datetime],
        limits: Limits,
        rights: str = RIGHTS,
    ) -> None:
        self.repository = f"{owner}/{repo}"
        self.url = without_user(url).rstrip("/")
        self.base = f"{self.url}/repos/{quote(owner, safe='')}/{quote(repo, safe='')}"
        self._session = session
        self._token = (token or "").strip() or None
        self._clock = clock
        self._limits = replace(limits, max_bytes=_MAX_JSON)
        self._rights = rights
        self.moved = ""
        self._refusals = 0
        self._closed: tuple[datetime, float] | None = None

    @property
    def has_token(self) -> bool:
        """Whether there is a token to send."""
        return self._token is not None

    def get(
        self,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (),
        anonymous: bool = False,
    ) -> Reply:
        """The answer to one call: 200 or 304, or another that is expected.

        A redirect within this API is followed, which is how GitHub answers for a repository
        that was renamed.

        Args:
            url: The address, on this API.
            what: The name of the requested thing in error messages.
            headers: More headers.
            expected: Further statuses to accept.
            anonymous: Leave out the token.

        Raises:
            ArtifactError: No answer, a refusal, or a rate limit (``retry_after``).
        """
        sent = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            **(headers or {}),
        }
        for _ in range(_MAX_REDIRECTS + 1):
            reply = self._call(url, what, sent, anonymous=anonymous)
            place = redirect_target(url, reply) if reply.status in REDIRECTS else None
            if place is None or not self._is_own(place):
                break
            url = place
            self.moved = self.moved or self._move(place)
        if reply.status in {_OK, _NOT_MODIFIED, *expected}:
            return reply
        raise self.error(
            f"GitHub was asked for {what} of {self.repository} and {self._complaint(reply)}.",
            transient=reply.status >= _SERVER_FAULT,
        )

    def _call(
        self, url: str, what: str, headers: Mapping[str, str], *, anonymous: bool = False
    ) -> Reply:
        """One answer, whatever its status.

        Raises:
            ArtifactError: No answer, or a rate limit (``retry_after``).
        """
        self._check_closed()
        auth = None if anonymous else self._authorisation()
        try:
            reply = fetch(self._session, url, headers=headers, auth=auth, limits=self._limits)
        except TooLargeError as error:
            raise self.error(
                f"GitHub was asked for {what}, and {error}; see GITHUB_API_URL."
            ) from None
        except ExchangeError as error:
            raise self.error(
                f"GitHub was asked for {what} and did not answer: {error}; it will be asked again.",
                transient=True,
            ) from None
        if _is_rate_limit(reply):
            raise self._close(reply, what, anonymous=auth is None)
        self._refusals = 0
        return reply

    def _is_own(self, url: str) -> bool:
        """Whether it is an address of this API's repositories, which may get the token."""
        return url.startswith((f"{self.url}/repositories/", f"{self.url}/repos/"))

    def _move(self, url: str) -> str:
        """What to change now that GitHub redirects to this address, which has only a number."""
        number = re.match(r"/repositories/[0-9]{1,19}", url.removeprefix(self.url))
        with suppress(ArtifactError, ValidationError):
            reply = self._call(f"{self.url}{number[0] if number else ''}", "a repository", {})
            owner, _, repo = _Repository.model_validate_json(reply.body).full_name.partition("/")
            return (
                f'{self.repository} is now called {owner}/{repo}: set username = "{owner}" and '
                f'repo_name = "{repo}" in config.toml'
            )
        return (
            f"{self.repository} has another name now: set username and repo_name in config.toml "
            "to it"
        )

    def get_public(self, url: str, what: str, expected: Collection[int] = ()) -> Reply:
        """The same, asked again without a token that lacks the right: all may read what is public.

        Raises:
            ArtifactError: As by ``get``.
        """
        if self.has_token:
            reply = self.get(url, what, expected={FORBIDDEN, *expected})
            if reply.status != FORBIDDEN:
                return reply
        return self.get(url, what, expected=expected, anonymous=True)

    def read(self, model: type[SchemaT], reply: Reply, what: str) -> SchemaT:
        """The answer, validated by its schema.

        Raises:
            ArtifactError: It is not JSON, or not of that schema.
        """
        try:
            return model.model_validate_json(reply.body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise self.error(
            f"GitHub's answer with {what} is malformed: {excerpt(place)} "
            f"is wrong ({excerpt(first['msg'])}) in {excerpt(reply.body)}; see GITHUB_API_URL."
        )

    def following(self, url: str, reply: Reply) -> str | None:
        """The address of a list's next page, which must be on the same server.

        Raises:
            ArtifactError: It is on another.
        """
        for link in requests.utils.parse_header_links(reply.headers.get("Link", "")):
            if link.get("rel") != "next":
                continue
            following = joined(url, link.get("url", ""))
            place = url_origin(following or "")
            if following is None or place is None or place != url_origin(self.url):
                raise self.error(
                    f"The next page of GitHub's list is at {excerpt(host(following))}, "
                    f"which is not {self.url}, and is not followed; see GITHUB_API_URL."
                )
            return following
        return None

    def blob(self, url: str | None, what: str, max_bytes: int) -> bytes:
        """A file from the blob store, without an Authorization header, which the store refuses.

        Args:
            url: Its address, as the API gave it.
            what: The name of the requested thing in error messages.
            max_bytes: Its largest size.

        Raises:
            ArtifactError: It cannot be had from there.
        """
        subject = what[0].upper() + what[1:]
        limits = replace(self._limits, max_bytes=max_bytes)
        for _ in range(_MAX_BLOB_REDIRECTS + 1):
            url = self._blob_url(url, what)
            try:
                reply = fetch(self._session, url, limits=limits)
            except ExchangeError as error:
                raise self.error(
                    f"{subject} did not come from {excerpt(host(url))}: {error}; it will be asked "
                    "for again.",
                    transient=not isinstance(error, TooLargeError),
                ) from None
            if reply.status == _OK:
                return reply.body
            if reply.status not in REDIRECTS:
                raise self.error(
                    f"{subject} should have come from {excerpt(host(url))}, which answered "
                    f"{reply.status}; its address is valid for a minute, a new one will be asked "
                    "for.",
                    transient=True,
                )
            url = redirect_target(url, reply)
        raise self.error(f"{subject} redirects in a loop; it will be asked for again.")

    def _blob_url(self, url: str | None, what: str) -> str:
        place = url_origin(url) if url else None
        allowed = {"https"} if self.url.lower().startswith("https:") else {"http", "https"}
        if url is None or place is None or place[0] not in allowed:
            raise self.error(
                f"GitHub should have redirected to an https address for {what}, but "
                f"redirected to {excerpt(host(url))}; it is not followed."
            )
        return url

    def token_advice(self) -> str:
        """How to get a token with the needed permissions."""
        return (
            f"make a {'new ' if self._token else ''}fine-grained token for {self.repository} alone "
            f"with {self._rights}, and set it as GITHUB_TOKEN"
        )

    def error(
        self, message: str, *, retry_after: float = 0.0, transient: bool = False
    ) -> ArtifactError:
        """An error whose message cannot contain the token; every error is made here."""
        if self._token:
            message = message.replace(self._token, "***")
        return (TransientArtifactError if transient else ArtifactError)(
            message, retry_after=retry_after
        )

    def _authorisation(self) -> _Bearer | None:
        if self._token is None:
            return None
        # An HTTP library that finds a bad header value puts it into its error message.
        if not re.fullmatch(r"[!-~]+", self._token):
            raise self.error(
                "GITHUB_TOKEN holds characters that no token has, and is not sent: "
                f"{self.token_advice()}."
            )
        return _Bearer(self._token)

    def _complaint(self, reply: Reply) -> str:
        """What GitHub answered, and how to fix it."""
        status = reply.status
        if status >= _SERVER_FAULT:
            return (
                f"failed with status {status}; it will be asked again, and "
                "https://www.githubstatus.com tells more"
            )
        if status in REDIRECTS:
            place = excerpt(host(redirect_target(self.base, reply)))
            return (
                f"says it has moved ({status}), to {place}, which is not followed: set username "
                "and repo_name in config.toml to the repository's new name, and see GITHUB_API_URL"
            )
        if status == _UNAUTHORISED and self._token:
            return (
                f"refused the token (401), which has expired or is mistyped: {self.token_advice()}"
            )
        sentences = {
            _UNAUTHORISED: f"needs a token (401): {self.token_advice()}",
            FORBIDDEN: (
                f"refused (403): the token is missing or lacks a right: {self.token_advice()}"
            ),
            NOT_FOUND: (
                "found nothing (404): check username and repo_name in config.toml; if they are "
                f"right, {self.token_advice()}"
            ),
            _GONE: "says it has expired (410): run the training workflow again",
        }
        return sentences.get(
            status,
            f"answered {status}: {excerpt(reply.body)}; check username, repo_name and "
            "artifact_name in config.toml, and that GITHUB_API_URL is GitHub's API",
        )

    def _close(self, reply: Reply, what: str, *, anonymous: bool) -> ArtifactError:
        """Make no more calls until the rate limit ends."""
        self._refusals += 1
        seconds = _wait(reply, self._refusals)
        self._closed = (self._clock(), seconds)
        remedy = f"; to be allowed more, {self.token_advice()}" if anonymous else ""
        return self.error(
            f"GitHub was asked for {what} and its rate limit is reached ({reply.status}): it will "
            f"be asked again in {seconds:.0f} s{remedy}.",
            retry_after=seconds,
        )

    def _check_closed(self) -> None:
        if self._closed is None:
            return
        since, seconds = self._closed
        passed = (self._clock() - since).total_seconds()
        if 0 <= passed < seconds:
            left = seconds - passed
            raise self.error(
                f"GitHub's rate limit is reached; it is not asked again for {left:.0f} s.",
                retry_after=left,
            )
        # It has ended; or the clock was set back, so the difference means nothing.
        self._closed = None


def joined(base: str, target: str) -> str | None:
    """``urljoin``, None for an invalid address."""
    try:
        return urljoin(base, target)
    except ValueError:
        return None


def redirect_target(url: str, reply: Reply) -> str | None:
    """The target of a redirect, None if it has none."""
    target = reply.headers.get("Location")
    return joined(url, target) if target else None


def host(url: str | None) -> str:
    """Scheme and host for a message; the query of a blob's address gives access to the blob."""
    place = url_origin(url) if url else None
    return f"{place[0]}://{place[1]}" if place else "an invalid address"


def _is_rate_limit(reply: Reply) -> bool:
    if reply.status == _TOO_MANY:
        return True
    return reply.status == FORBIDDEN and (
        "Retry-After" in reply.headers or _is_used_up(reply) or b"rate limit" in reply.body.lower()
    )


def _is_used_up(reply: Reply) -> bool:
    return reply.headers.get("X-RateLimit-Remaining", "").strip() == "0"


def _wait(reply: Reply, refusals: int) -> float:
    """Seconds until the next call is allowed, at most an hour."""
    asked_for = _whole(reply.headers.get("Retry-After"))
    if asked_for is None and _is_used_up(reply):
        reset = _whole(reply.headers.get("X-RateLimit-Reset"))
        now = _epoch(reply.headers.get("Date"))
        # Both by GitHub's clock: the one here may be wrong.
        asked_for = reset - now if reset is not None and now is not None else None
    if asked_for is None:
        asked_for = _MINUTE * 2.0 ** min(refusals - 1, 6)
    return min(max(asked_for, 1.0), _HOUR)


def _whole(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*[0-9]{1,12}\s*", text):
        return None
    return float(text)


def _epoch(text: str | None) -> float | None:
    """Epoch seconds of an HTTP date."""
    try:
        parsed = email.utils.parsedate_tz(text or "")
        return float(email.utils.mktime_tz(parsed)) if parsed else None
    except (ValueError, OverflowError):
        return None
