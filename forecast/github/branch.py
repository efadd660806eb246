"""Whether a commit lies on the default branch, as GitHub compares the two.

A run gives the name of its branch, which is no proof: a tag of that name looks the same. And
GitHub knows the commits of forks and of deleted branches too, so that it knows a commit proves
nothing either. A comparison does.
"""

from __future__ import annotations

from urllib.parse import quote

from forecast.github.api import NOT_FOUND, GitHub, Schema

_ON_THE_BRANCH = {"identical", "behind"}  # of the commit, beside the tip of the branch


class _Commit(Schema):
    sha: str


class _Reference(Schema):
    ref: str
    object: _Commit


class _Comparison(Schema):
    status: str
    ahead_by: int
    merge_base_commit: _Commit


class DefaultBranch:
    """One branch of a repository. A commit costs two calls, one if it is the tip, and only once.

    Args:
        github: The repository.
        name: The branch.
    """

    def __init__(self, github: GitHub, name: str) -> None:
        self._github = github
        self._name = name
        self._ref = f"refs/heads/{name}"
        self._known: dict[str, bool] = {}

    def broken_by(self, sha: str) -> str | None:
        """Why a commit cannot be trusted, None if it lies on the branch.

        Args:
            sha: Its 40 hexadecimal digits.

        Raises:
            ArtifactError: GitHub has no such branch, or could not be asked.
        """
        if sha not in self._known:
            answer = self._compare(self._tip(), sha)
            if answer is None:  # not known, which is no answer to keep
                return f"GitHub cannot compare its commit with {self._name}"
            self._known[sha] = answer
        return None if self._known[sha] else f"its commit is not on {self._name}"

    def _tip(self) -> str:
        # "compare/main...sha" would compare with a tag called main, if there is one.
        what = f"the tip of the branch {self._name}"
        url = f"{self._github.base}/git/ref/heads/{quote(self._name)}"
        reply = self._github.get_public(url, what, {NOT_FOUND})
        if reply.status == NOT_FOUND:
            raise self._github.error(
                f"GitHub was asked for {what} of {self._github.repository} and found none (404): "
                "check default_branch in config.toml; if it is right, "
                f"{self._github.token_advice()}."
            )
        found = self._github.read(_Reference, reply, what)
        if found.ref != self._ref:
            raise self._github.error(
                f"GitHub was asked for {self._ref} of {self._github.repository} and gave another "
                "reference; see GITHUB_API_URL."
            )
        return found.object.sha

    def _compare(self, tip: str, sha: str) -> bool | None:
        """Whether the tip has the commit in its history, None if GitHub cannot tell."""
        if tip == sha:
            return True
        what = "a comparison of two commits"
        # The second page leaves out the files, which have no bound.
        commits = f"{quote(tip, safe='')}...{sha}"
        url = f"{self._github.base}/compare/{commits}?per_page=1&page=2"
        reply = self._github.get_public(url, what, {NOT_FOUND})
        if reply.status == NOT_FOUND:
            return None
        found = self._github.read(_Comparison, reply, what)
        return (
            found.status in _ON_THE_BRANCH
            and found.ahead_by == 0
            and found.merge_base_commit.sha == sha
        )
