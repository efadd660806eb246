"""The table: each row has a fault, the part it affects, and the expected outcome."""

from __future__ import annotations

import builtins
import datetime as dt
import os
import subprocess
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from tests.bundles import CREATED_AT, make_bundle, zip_of
from tests.faults.world import (
    OWNED,
    artifact,
    attestation,
    bomb,
    changed_attestation,
    clickhouse,
    clock,
    closed,
    code,
    corrupt,
    cut_off,
    duplicated,
    encrypted,
    end_bulk_counts,
    end_counts,
    expire,
    forecasting,
    forgotten,
    github,
    limit,
    linked,
    moved_on,
    of_no_run,
    pypistats,
    recreated,
    renamed,
    replaced,
    run_again,
    snappy_bomb,
    with_files,
    with_manifest,
    with_member,
    without_artifacts,
)
from tests.standins.clickhouse import TSV, edited, exception, midway
from tests.standins.github import REPOSITORY_ID
from tests.standins.pypistats import FAULTS, HTML
from tests.standins.server import Answer
from tests.standins.sigstore import Sigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tests.faults.world import Attest, Inflict

QUARTER, HOUR = 900.0, 3600.0  # seconds until the app checks again


class Models(Enum):
    """The outcome of a fault while the app checks for newer models."""

    KEPT = "The old models stay in use."
    PASSED_OVER = "It is skipped, and the newest trusted one is used."
    UNREAD = "The published forecast is shown; the code in the model is never run."
    USED = "The newest one is trusted and used."
    MOVED = "The newest one is trusted and used; the log tells which names to set."


class Newer(Enum):
    """The outcome of a fault while the app fetches newer counts."""

    WITHOUT = "The forecast of the bundle is shown; other packages get their newer counts."


class Clock(Enum):
    """The outcome of a wrong clock in the app."""

    TOLD = "The forecast is shown, with a sentence that does not fit the calendar."


class Trainer(Enum):
    """The outcome of a fault in the weekly job."""

    CARRIED = "Exit 0: the package keeps last week's model, with its date; others are trained."
    TRAINED = "Exit 0: the request is repeated later, and every package is trained."
    SPLIT = "Exit 0: it is asked for again in smaller queries, and every package is trained."
    NOTHING = "Exit 1: nothing is published, and the output folder is unchanged."
    OLDER = "Exit 0: the run continues from the newest valid bundle before it, with a warning."
    ALONE = "Exit 0: trained from this fetch only, without the earlier history, with a warning."
    STALE = "Exit 0: the new counts are published, with an error annotation."
    SKIPPED = "Exit 0: it is skipped, and every package is trained."
    MOVED = "Exit 0: every package is trained, with a warning."


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        fault: what goes wrong, as in the README.
        inflict: causes it.
        outcome: the expected outcome.
        says: part of the message in the log, and on the page or in the annotation.
        rest: seconds until the app checks again.
        slow: whether a timeout must expire.
        limited: whether GitHub says when to try again.
        bomb: whether memory use is measured.
        final: whether the fault cannot be repaired.
        verified: whether the config enables verification.
    """

    fault: str
    inflict: Inflict
    outcome: Enum
    says: str = ""
    rest: float = QUARTER
    slow: bool = False
    limited: bool = False
    bomb: bool = False
    final: bool = False
    verified: bool = False

    def __str__(self) -> str:
        return self.fault


def _no_answer(
    who: str, make: Callable[[str], Inflict], outcome: Enum, ways: Collection[str] = ()
) -> Iterator[Row]:
    """Every way of not answering in time, or not completely."""
    slow = "no complete answer within the time allowed"
    all_ways = {
        "hang": ("hangs", slow),
        "drip": ("drips, a byte now and then", slow),
        "drip headers": ("drips its headers", slow),
        "cut": ("breaks off half-way", "the connection broke during the answer"),
        "drop": ("hangs up at once", "no connection, or it was lost"),
    }
    for how in ways or all_ways:
        words, reason = all_ways[how]
        yield Row(f"{who}: {words}", make(how), outcome, reason, slow=reason == slow)


# NEWOBJ without BUILD
BARE_MODEL = b"\x80\x05\x8c\x0eforecast.model\x8c\x05Model\x93)\x81."
KEPT = Models.KEPT
MOVED = 'owner/repo is now called owner/another-name: set username = "owner" and repo_name ='
NEWEST = "the newest zip"
ATTESTED_BUT_BROKEN = f"{NEWEST} has a good attestation of a broken zip"

MODELS = (
    Row("list: 401", github("list", 401), KEPT, "refused the token (401), which has expired"),
    Row("list: 403", github("list", 403), KEPT, "refused (403): the token is missing"),
    Row("list: 404", github("list", 404), KEPT, "found nothing (404): check username and"),
    Row("list: 410", github("list", 410), KEPT, "says it has expired (410): run the training"),
    Row("list: 429 without a header", limit("bare 429"), KEPT, "asked again in 60 s", limited=True),
    Row("list: 403 without a header", limit("bare 403"), KEPT, "asked again in 60 s", limited=True),
    Row(
        "list: 403 with Retry-After: 120",
        limit("retry-after"),
        KEPT,
        "asked again in 120 s",
        limited=True,
    ),
    Row(
        "list: 429 with Retry-After: 1800",
        github("list", 429, Retry_After="1800"),
        KEPT,
        "asked again in 1800 s",
        limited=True,
        rest=1800.0,
    ),
    Row(
        "list: 429 with Retry-After of eleven days",
        github("list", 429, Retry_After="999999"),
        KEPT,
        "asked again in 3600 s",
        limited=True,
        rest=HOUR,
    ),
    Row(
        "list: 429 with Retry-After that is a date",
        github("list", 429, Retry_After="Sun, 22 Nov 2026 12:00:00 GMT"),
        KEPT,
        "asked again in 60 s",
        limited=True,
    ),
    Row(
        "list: 403 with X-RateLimit-Reset",
        limit("reset"),
        KEPT,
        "rate limit is reached (403)",
        limited=True,
    ),
    Row(
        "list: 403 with a reset that has passed",
        github("list", 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="5"),
        KEPT,
        "asked again in 1 s",
        limited=True,
    ),
    Row("list: 500", github("list", 500), KEPT, "failed with status 500"),
    Row("list: 502", github("list", 502), KEPT, "failed with status 502"),
    Row("list: 503", github("list", 503), KEPT, "failed with status 503"),
    Row("list: moved (301)", github("list", 301), KEPT, "says it has moved (301)"),
    Row(
        "list: an HTML page",
        github("list", "html"),
        KEPT,
        "with the list of artifacts is malformed",
    ),
    Row("list: other JSON", github("list", "nonsense"), KEPT, "artifacts” is wrong"),
    Row("list: no end to it", github("list", "endless"), KEPT, "the answer is larger than"),
    *_no_answer("list", partial(github, "list"), KEPT),
    Row("run: 404", github("run", 404), KEPT, "asked for a workflow run of owner/repo and found"),
    Row("run: 500", github("run", 500), KEPT, "failed with status 500"),
    Row("run: an HTML page", github("run", "html"), KEPT, "with a workflow run is malformed"),
    *_no_answer("run", partial(github, "run"), KEPT),
    Row("zip: 401", github("zip", 401), KEPT, "refused the token (401), which has expired"),
    Row("zip: 403", github("zip", 403), KEPT, "refused (403): the token is missing"),
    Row("zip: 404", github("zip", 404), KEPT, "found nothing (404)"),
    Row("zip: 410", github("zip", 410), KEPT, "says it has expired (410): run the training"),
    Row(
        "zip: 429 without a header",
        limit("bare 429", "zip"),
        KEPT,
        "asked again in 60 s",
        limited=True,
    ),
    Row("zip: 503", github("zip", 503), KEPT, "failed with status 503"),
    Row("zip: 200 in place of a redirect", github("zip", Answer(200, b"PK")), KEPT, "answered 200"),
    Row(
        "zip: sent on to a file",
        github("zip", Answer(302, b"", HTML, {"Location": "file:///etc/passwd"})),
        KEPT,
        "it is not followed",
    ),
    *_no_answer("zip", partial(github, "zip"), KEPT, ("hang", "drip headers", "drop")),
    Row("blob: 403, its address is too old", github("blob", 403), KEPT, "which answered 403"),
    Row("blob: 404", github("blob", 404), KEPT, "which answered 404"),
    Row("blob: 500", github("blob", 500), KEPT, "which answered 500"),
    Row("blob: no end to it", github("blob", "endless"), KEPT, "the answer is larger than"),
    *_no_answer("blob", partial(github, "blob"), KEPT),
    Row(
        "nobody listens",
        closed("github"),
        KEPT,
        "did not answer: no connection",
        final=True,
    ),
    Row(
        f"{NEWEST} has another digest than listed",
        artifact(digest="sha256:" + "0" * 64),
        KEPT,
        "and is not opened",
    ),
    Row(f"{NEWEST} is empty", artifact(b""), KEPT, "the zip cannot be read"),
    Row(f"{NEWEST} is an HTML page", artifact(b"<html>"), KEPT, "the zip cannot be read"),
    Row(
        f"{NEWEST} is truncated",
        artifact(lambda: zip_of(make_bundle())[:-50]),
        KEPT,
        "the zip cannot be read",
    ),
    Row(
        f"{NEWEST} holds a zip",
        artifact(lambda: zip_of({"models.zip": zip_of(make_bundle())})),
        KEPT,
        "the zip holds no manifest.json",
    ),
    Row(f"{NEWEST} is encrypted", artifact(encrypted), KEPT, "in the zip is encrypted"),
    Row(f"{NEWEST} has a member twice", artifact(duplicated), KEPT, "two members of one name"),
    Row(f"{NEWEST} has a link in it", artifact(linked), KEPT, "which is no file of the bundle"),
    Row(
        f"{NEWEST} climbs out of its folder",
        artifact(lambda: with_member("../../evil.py")),
        KEPT,
        "which is no file of the bundle",
    ),
    Row(
        f"{NEWEST} has an absolute path",
        artifact(lambda: with_member("/etc/cron.d/evil")),
        KEPT,
        "which is no file of the bundle",
    ),
    Row(
        f"{NEWEST} is a bomb and says so",
        artifact(lambda: bomb(lying=False)),
        KEPT,
        "the zip unpacks to",
        bomb=True,
    ),
    Row(
        f"{NEWEST} is a bomb and says it is none",
        artifact(lambda: bomb(lying=True)),
        KEPT,
        "The newest artifact was refused",
        bomb=True,
    ),
    Row(
        f"{NEWEST} has no manifest",
        artifact(lambda: zip_of({"history.csv": b""})),
        KEPT,
        "the zip holds no manifest.json",
    ),
    Row(
        f"{NEWEST} has a manifest of a future format",
        artifact(lambda: with_manifest(format=3, new="field")),
        KEPT,
        "a format that this version does not read: update it",
    ),
    Row(
        f"{NEWEST} has a manifest with a line break in a key",
        artifact(lambda: with_manifest(**{"a\nb": 1})),
        KEPT,
        r"manifest.json: a\nb: Extra inputs",
    ),
    Row(
        f"{NEWEST} has a manifest with a day at the end of time",
        artifact(lambda: with_manifest(outages=["9999-12-31"])),
        KEPT,
        "manifest.json: outages.0: ",
    ),
    Row(
        f"{NEWEST} has a manifest that is no JSON",
        artifact(lambda: zip_of({"manifest.json": b"{"})),
        KEPT,
        "manifest.json: ",
    ),
    Row(
        f"{NEWEST} has a manifest with millions of season lengths",
        artifact(lambda: with_manifest(m_values=[7] * 2_500_000)),
        KEPT,
        "manifest.json: expected at most 33,554,432 bytes and 2,000,000 values",
        bomb=True,
    ),
    Row(
        f"{NEWEST} has 200,000 entries",
        artifact(lambda: b"PK\x01\x02" * 200_000),
        KEPT,
        "the zip has 200,000 members; at most 20,000 are allowed",
        bomb=True,
    ),
    Row(
        f"{NEWEST} has a pickle of an object without fields",
        artifact(lambda: with_files(flask__pkl=BARE_MODEL)),
        Models.UNREAD,
        "cannot be read by this version of the page",
    ),
    Row(
        f"{NEWEST} forecasts NaN",
        artifact(lambda: forecasting("nan,nan,nan,nan,nan,nan")),
        KEPT,
        "forecasts.csv",
    ),
    Row(
        f"{NEWEST} forecasts infinity",
        artifact(lambda: forecasting("1,1,1,inf,1,inf")),
        KEPT,
        "forecasts.csv: a value is not finite",
    ),
    Row(
        f"{NEWEST} forecasts negative counts",
        artifact(lambda: forecasting("-5,-5,-6,-4,-7,-3")),
        KEPT,
        "is negative",
    ),
    Row(
        f"{NEWEST} forecasts outside its own bands",
        artifact(lambda: forecasting("5,5,6,7,4,8")),
        KEPT,
        "outside its band",
    ),
    Row(
        f"{NEWEST} has a mean beyond its 95 % band",
        artifact(lambda: forecasting("9,5,4,6,3,8")),
        KEPT,
        "forecasts.csv: a value is not finite, is negative, or outside its band",
    ),
    Row(
        f"{NEWEST} has a total outside its own band",
        artifact(lambda: replaced("totals.csv", r"(flask,7),.*", r"\1,5,6,7,4,8")),
        KEPT,
        "totals.csv: a value is not finite, is negative, or outside its band",
    ),
    Row(
        f"{NEWEST} lacks a total",
        artifact(lambda: replaced("totals.csv", r"flask,7,.*\n", "")),
        KEPT,
        "expected the totals of 7, 14, 28, 30 days of 'flask'",
    ),
    Row(
        f"{NEWEST} forecasts other days",
        artifact(lambda: replaced("forecasts.csv", "flask,2026-11-22,", "flask,2026-11-21,")),
        KEPT,
        "expected 30 days of 'flask' from 2026-11-22 on",
    ),
    Row(
        f"{NEWEST} has counts of no day",
        artifact(lambda: replaced("history.csv", "2026-11-21,", ",")),
        KEPT,
        "history.csv: a row has no day",
    ),
    Row(
        f"{NEWEST} has negative counts",
        artifact(lambda: replaced("history.csv", "2026-11-21,", "2026-11-21,-")),
        KEPT,
        "a count is not a whole number",
    ),
    Row(
        f"{NEWEST} has a pickle that runs a command",
        artifact(lambda: code(os.system, f"touch {OWNED}")),
        Models.UNREAD,
        "cannot be read by this version of the page",
    ),
    Row(
        f"{NEWEST} has a pickle that starts a process",
        artifact(lambda: code(subprocess.Popen, ["touch", OWNED])),
        Models.UNREAD,
        "cannot be read by this version of the page",
    ),
    Row(
        f"{NEWEST} has a pickle that evaluates Python",
        artifact(lambda: code(eval, f"open({OWNED!r}, 'w')")),
        Models.UNREAD,
        "cannot be read by this version of the page",
    ),
    Row(
        f"{NEWEST} has a pickle that opens a file",
        artifact(lambda: code(builtins.open, OWNED, "w")),
        Models.UNREAD,
        "cannot be read by this version of the page",
    ),
    Row(f"{NEWEST} comes from a fork", artifact(b"evil", fork=True), Models.PASSED_OVER),
    Row(
        f"{NEWEST} comes from a pull request",
        artifact(b"evil", event="pull_request"),
        Models.PASSED_OVER,
    ),
    Row(f"{NEWEST} comes from another branch", artifact(b"x", branch="dev"), Models.PASSED_OVER),
    Row(
        f"{NEWEST} comes from a tag whose name its path tells",
        artifact(b"evil", path=".github/workflows/upload_artifact.yml@refs/tags/main"),
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from another repository that has taken the name",
        recreated,
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from another owner who has taken the name",
        artifact(b"evil", run={"repository": {"id": REPOSITORY_ID, "owner": {"id": 7}}}),
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from another workflow",
        artifact(b"evil", path=".github/workflows/tests.yml"),
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from a failed run",
        artifact(b"evil", conclusion="failure"),
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from a second attempt at its run, which is under way",
        run_again(None, b"evil"),
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from a second attempt at its run, which failed",
        run_again("failure", b"evil"),
        Models.PASSED_OVER,
    ),
    Row(
        f"{NEWEST} comes from a second attempt at its run, which succeeded",
        run_again("success"),
        Models.USED,
    ),
    Row("the repository has another name", renamed, Models.MOVED, MOVED),
    Row(f"{NEWEST} is of no run, by the list", of_no_run, Models.PASSED_OVER),
    Row(f"{NEWEST} has expired", artifact(b"gone", expired=True), Models.PASSED_OVER),
    Row(f"{NEWEST} has no digest", artifact(b"evil", digest=None), Models.PASSED_OVER),
)

# Where no attestation proves the branch.
COMPARED = (
    Row(
        f"{NEWEST} comes from a tag with the branch's name",
        artifact(b"evil", tag=True),
        Models.PASSED_OVER,
    ),
    Row("branch: 403", github("ref", 403), KEPT, "Actions: read and Contents: read"),
    Row("branch: 404", github("ref", 404), KEPT, "found none (404): check default_branch"),
    Row("branch: 500", github("ref", 500), KEPT, "failed with status 500"),
    *_no_answer("branch", partial(github, "ref"), KEPT, ("hang",)),
    Row("comparison: 500", moved_on(github("compare", 500)), KEPT, "failed with status 500"),
    Row(
        "comparison: an HTML page",
        moved_on(github("compare", "html")),
        KEPT,
        "with a comparison of two commits is malformed",
    ),
    Row(
        "comparison: 429 without a header",
        moved_on(limit("bare 429", "compare")),
        KEPT,
        "asked again in 60 s",
        limited=True,
    ),
)

NEITHER = "neither JSON nor compressed by Snappy"


def _attested(attest: Attest, zipped: bytes | None = None) -> Inflict:
    """A newer artifact with this attestation."""
    return artifact(zipped, attest=attest)


ATTESTED = tuple(
    replace(row, verified=True)
    for row in (
        Row(f"{NEWEST} has no attestation", _attested(lambda _: b""), KEPT, "GitHub has none"),
        Row(
            f"{NEWEST} is attested by another repository",
            _attested(partial(attestation, repository="evil/repo")),
            KEPT,
            "SANs do not match https://github.com/owner/repo/",
        ),
        Row(
            f"{NEWEST} is attested by another workflow",
            _attested(partial(attestation, workflow=".github/workflows/tests.yml")),
            KEPT,
            "SANs do not match",
        ),
        Row(
            f"{NEWEST} is attested on another branch",
            _attested(partial(attestation, ref="refs/heads/dev")),
            KEPT,
            "SANs do not match",
        ),
        Row(
            f"{NEWEST} is attested by another run",
            _attested(partial(attestation, run_id=1)),
            KEPT,
            "expected the run https://github.com/owner/repo/actions/runs/",
        ),
        Row(
            f"{NEWEST} is attested at another commit",
            _attested(partial(attestation, commit="0" * 40)),
            KEPT,
            "OIDCSourceRepositoryDigest does not match",
        ),
        Row(
            f"{NEWEST} has another zip's attestation",
            _attested(partial(attestation, of="sha256:" + "0" * 64)),
            KEPT,
            "it is for other files than sha256:",
        ),
        Row(
            f"{NEWEST} has an attestation that was changed",
            _attested(changed_attestation),
            KEPT,
            "invalid signature",
        ),
        Row(
            f"{NEWEST} is attested by another Sigstore",
            _attested(partial(attestation, by=Sigstore)),
            KEPT,
            "certificate chain",
        ),
        Row(
            f"{NEWEST} has an attestation that is none",
            _attested(lambda _: b"<html>"),
            KEPT,
            NEITHER,
        ),
        Row(
            f"{NEWEST} has an attestation of nested JSON",
            _attested(lambda _: b'{"a":' * 100_000),
            KEPT,
            "is not valid: failed to load bundle",
        ),
        Row(
            f"{NEWEST} has an attestation that is a bomb",
            _attested(lambda _: snappy_bomb()),
            KEPT,
            "it is larger than 1,048,576 bytes",
            bomb=True,
        ),
        Row(
            ATTESTED_BUT_BROKEN,
            _attested(attestation, b"PK"),
            KEPT,
            "the zip cannot be read",
        ),
        Row("attestations: 401", github("attestations", 401), KEPT, "refused the token (401)"),
        Row(
            "attestations: 403",
            github("attestations", 403),
            KEPT,
            "with Actions: read and Attestations: read",
        ),
        Row("attestations: 404", github("attestations", 404), KEPT, "GitHub has none"),
        Row(
            "attestations: 429 without a header",
            limit("bare 429", "attestations"),
            KEPT,
            "asked again in 60 s",
            limited=True,
        ),
        Row("attestations: 500", github("attestations", 500), KEPT, "failed with status 500"),
        Row(
            "attestations: an HTML page",
            github("attestations", "html"),
            KEPT,
            "with the artifact's attestations is malformed",
        ),
        *_no_answer("attestations", partial(github, "attestations"), KEPT),
        Row(
            "attestation: 403, its address is too old",
            github("bundle", 403),
            KEPT,
            "which answered 403",
        ),
        Row("attestation: 500", github("bundle", 500), KEPT, "which answered 500"),
        Row("attestation: no end to it", github("bundle", "endless"), KEPT, "larger than 1,048"),
        *_no_answer("attestation", partial(github, "bundle"), KEPT, ("hang", "drip", "cut")),
    )
)

BROKEN_JSON = {"html", "truncated", "empty", "nan", "infinity"}


def _nonsense(outcome: Enum, *packages: str) -> Iterator[Row]:
    """Every answer that differs from PyPI Stats' documentation."""
    for name in FAULTS:
        says = "should have answered with JSON" if name in BROKEN_JSON else "is not usable"
        if name in {"nan", "infinity"}:
            says = "PyPI Stats"
        yield Row(f"nonsense: {name}", pypistats(name, *packages), outcome, says)


WITHOUT = Newer.WITHOUT
REFUSED = "and refused: too many calls from this address (429)"

NEWER_DAYS = (
    Row("404", pypistats(404, "flask"), WITHOUT, "has no counts of a package called “flask”"),
    Row("429 without a header", pypistats(429, "flask"), WITHOUT, REFUSED),
    Row("429 with Retry-After", pypistats(429, "flask", Retry_After="60"), WITHOUT, REFUSED),
    Row("403", pypistats(403, "flask"), WITHOUT, "should have answered 200; it answered 403"),
    Row("410", pypistats(410, "flask"), WITHOUT, "should have answered 200; it answered 410"),
    Row("500", pypistats(500, "flask"), WITHOUT, "failed with status 500"),
    Row("502", pypistats(502, "flask"), WITHOUT, "failed with status 502"),
    Row("503", pypistats(503, "flask"), WITHOUT, "failed with status 503"),
    Row("no end to it", pypistats("endless", "flask"), WITHOUT, "should fit into a few kB"),
    Row(
        "sent on to another server",
        pypistats(Answer(302, b"", HTML, {"Location": "http://127.0.0.1:1/"}), "flask"),
        WITHOUT,
        "which is not followed",
    ),
    *_no_answer("answer", lambda how: pypistats(how, "flask"), WITHOUT),
    *_nonsense(WITHOUT, "flask"),
)

CLOCKS = (
    Row(
        "the clock stands in 1970",
        clock(dt.datetime(1970, 1, 1, 12, tzinfo=dt.UTC)),
        Clock.TOLD,
        "none after 1970-01-01",
    ),
    Row(
        "the clock is a month behind",
        clock(dt.datetime(2026, 10, 22, 12, tzinfo=dt.UTC)),
        Clock.TOLD,
        "none after 2026-10-22",
    ),
    Row(
        "the clock is two years ahead",
        clock(dt.datetime(2028, 11, 22, 12, tzinfo=dt.UTC)),
        Clock.TOLD,
        "The models are 731 days old",
    ),
    Row(
        "the clock stands at the end of time",
        clock(dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.UTC)),
        Clock.TOLD,
        "days old",
    ),
)

CARRIED, NOTHING, ALONE = Trainer.CARRIED, Trainer.NOTHING, Trainer.ALONE
UNTRAINED = "no package could be trained"
LOST = "the previous bundle could not be fetched"

TRAINING = (
    Row("one package: 404", pypistats(404, "flask"), CARRIED, "has no counts of a package called"),
    Row("one package: 429", pypistats(429, "flask"), CARRIED, REFUSED),
    Row("one package: 500", pypistats(500, "flask"), CARRIED, "failed with status 500"),
    Row("one package: 502", pypistats(502, "flask"), CARRIED, "failed with status 502"),
    Row("one package: 418", pypistats(418, "flask"), CARRIED, "it answered 418"),
    *_no_answer("one package", lambda how: pypistats(how, "flask"), CARRIED),
    *_nonsense(CARRIED, "flask"),
    Row("all packages: 429 once", pypistats(429, times=1), Trainer.TRAINED),
    Row("all packages: 503 once", pypistats(503, times=1), Trainer.TRAINED),
    Row("all packages: hang up once", pypistats("drop", times=1), Trainer.TRAINED),
    Row("all packages: 404", pypistats(404), NOTHING, UNTRAINED),
    Row("all packages: 429", pypistats(429), NOTHING, UNTRAINED),
    Row("all packages: 503", pypistats(503), NOTHING, UNTRAINED),
    Row("all packages: an HTML page", pypistats("html"), NOTHING, UNTRAINED),
    Row("all packages: negative counts", pypistats("negative"), NOTHING, UNTRAINED),
    Row("all packages: no answer", pypistats("hang"), NOTHING, UNTRAINED, slow=True),
    Row("PyPI Stats: nobody listens", closed("pypistats"), NOTHING, UNTRAINED),
    Row(
        "PyPI Stats: nothing newer than last week's",
        lambda world: end_counts(world, days=8),
        NOTHING,
        "there are no newer counts: the newest count of any package is of 2026-11-14",
    ),
    Row(
        "PyPI Stats: something new, and yet six days old",
        lambda world: end_counts(world, days=5),
        Trainer.STALE,
        "the newest count of any package is of 2026-11-17, 5 days ago",
    ),
    Row("GitHub: 401", github("list", 401), NOTHING, LOST),
    Row("GitHub: 403", github("list", 403), NOTHING, LOST),
    Row("GitHub: 404", github("list", 404), NOTHING, LOST),
    Row("GitHub: 422", github("list", 422), NOTHING, LOST),
    Row("GitHub: an HTML page", github("list", "html"), NOTHING, LOST),
    Row(
        "GitHub: sent on to another server",
        github("list", 301, Location="http://127.0.0.1:1/"),
        NOTHING,
        "which is not followed",
    ),
    Row("GitHub: the run is not found", github("run", 404), NOTHING, "could not be looked up"),
    Row("GitHub: 403 for the zip", github("zip", 403), NOTHING, LOST),
    Row("GitHub: no artifact yet", without_artifacts, ALONE, "models yet"),
    Row("GitHub: every artifact has expired", expire, ALONE, "has expired"),
    Row("GitHub: 410 for the zip", github("zip", 410), NOTHING, LOST),
    Row(
        "GitHub: another digest than listed",
        artifact(digest="sha256:" + "0" * 64),
        Trainer.OLDER,
        "and is not opened",
    ),
    Row("GitHub: a zip that is none", artifact(b"PK"), Trainer.OLDER, "the zip cannot be read"),
    Row(
        "GitHub: a bundle of a future format",
        artifact(lambda: with_manifest(format=3)),
        Trainer.OLDER,
        "a format that this version does not read",
    ),
    Row("GitHub: no zip is one", corrupt, NOTHING, "the zip cannot be read"),
    Row(
        "GitHub: a bundle of counts without mirrors",
        artifact(lambda: with_manifest(mirrors=False)),
        Trainer.OLDER,
        "the previous bundle has pypistats with mirrors = False",
    ),
    Row(
        "GitHub: a bundle of sample data",
        artifact(lambda: with_manifest(source="sample")),
        Trainer.OLDER,
        "the previous bundle has sample with mirrors = True",
    ),
    Row("GitHub: a tag with the branch's name", artifact(b"evil", tag=True), Trainer.SKIPPED),
    Row("GitHub: another repository has taken the name", recreated, Trainer.SKIPPED),
    Row(
        "GitHub: a second attempt at a run, which failed",
        run_again("failure", b"evil"),
        Trainer.SKIPPED,
    ),
    Row("GitHub: the repository has another name", renamed, Trainer.MOVED, MOVED),
    Row(
        "GitHub: an artifact without an attestation",
        _attested(lambda _: b""),
        NOTHING,
        "GitHub has none",
        verified=True,
    ),
    Row(
        "GitHub: an artifact that another workflow attests",
        _attested(partial(attestation, workflow=".github/workflows/tests.yml")),
        NOTHING,
        "SANs do not match",
        verified=True,
    ),
    Row(
        "GitHub: 403 for the attestations",
        github("attestations", 403),
        NOTHING,
        "with Actions: read and Attestations: read",
        verified=True,
    ),
    Row(
        "GitHub: 500 for the attestations",
        github("attestations", 500),
        NOTHING,
        LOST,
        verified=True,
    ),
    Row(
        "GitHub: no answer for the attestations",
        github("attestations", "hang"),
        NOTHING,
        LOST,
        slow=True,
        verified=True,
    ),
    Row(
        "GitHub: 500 from the blob store for an attestation",
        github("bundle", 500),
        NOTHING,
        LOST,
        verified=True,
    ),
    Row(
        "GitHub: 503 for the attestations, twice",
        lambda world: world.github.fail("attestations", 503, 2),
        Trainer.TRAINED,
        verified=True,
    ),
    Row("GitHub: 429", limit("bare 429"), NOTHING, LOST),
    Row("GitHub: 403 with Retry-After", limit("retry-after"), NOTHING, LOST),
    Row(
        "GitHub: 429 with Retry-After of half an hour",
        github("list", 429, Retry_After="1800"),
        NOTHING,
        LOST,
    ),
    Row(
        "GitHub: 429 once",
        lambda world: world.github.limit("bare 429"),
        Trainer.TRAINED,
    ),
    Row(
        "GitHub: 403 with Retry-After twice, for the zip",
        lambda world: world.github.limit("retry-after", route="zip", times=2),
        Trainer.TRAINED,
    ),
    Row("GitHub: 503", github("list", 503), NOTHING, LOST),
    Row("GitHub: 503 for the zip", github("zip", 503), NOTHING, LOST),
    Row("GitHub: 500 from the blob store", github("blob", 500), NOTHING, LOST),
    Row("GitHub: nobody listens", closed("github"), NOTHING, LOST),
    Row("GitHub: no answer", github("list", "hang"), NOTHING, LOST, slow=True),
    Row(
        "GitHub: 503 twice",
        lambda world: world.github.fail("list", 503, 2),
        Trainer.TRAINED,
    ),
    Row(
        "the clock stands in 1970",
        clock(dt.datetime(1970, 1, 1, 3, tzinfo=dt.UTC)),
        NOTHING,
        UNTRAINED,
    ),
    Row(
        "the clock is a month behind",
        clock(dt.datetime(2026, 10, 22, 3, tzinfo=dt.UTC)),
        NOTHING,
        UNTRAINED,
    ),
    Row(
        "the clock is a month ahead",
        clock(dt.datetime(2026, 12, 22, 3, tzinfo=dt.UTC)),
        Trainer.STALE,
        "the newest count of any package is of 2026-11-21, 31 days ago",
    ),
)


def _days(new: bytes) -> Inflict:
    """Replaces the first day of one package, as days since 1970."""
    return clickhouse(edited(rb"(?m)^(flask\t\[)\d+", rb"\g<1>" + new))


def _counts(new: bytes) -> Inflict:
    """Replaces the first count of one package."""
    return clickhouse(edited(rb"(?m)^(flask\t\[[^]\n]*\]\t\[)\d+", rb"\g<1>" + new))


def _exception(code: int, text: str, name: str) -> str:
    return f"Code: {code}. DB::Exception: {text}. ({name})"


NO_TABLE = _exception(60, "Unknown table 'pypi.pypi_downloads_per_day'", "UNKNOWN_TABLE")
PASSWORD = _exception(516, "demo: Authentication failed", "AUTHENTICATION_FAILED")
QUOTA = _exception(201, "Quota for user `demo` for 3600s has been exceeded", "QUOTA_EXCEEDED")
MEMORY = _exception(241, "Memory limit (total) exceeded", "MEMORY_LIMIT_EXCEEDED")
DISK = _exception(74, "Cannot read from file", "CANNOT_READ_FROM_FILE_DESCRIPTOR")
UNUSABLE = "is not usable: expected"
TODAY = str((CREATED_AT.date() - dt.date(1970, 1, 1)).days).encode()
TRAINED, SPLIT = Trainer.TRAINED, Trainer.SPLIT
CUT = {  # by limits that reach three packages; test_clickhouse.py has the other modes
    "read_overflow_mode = 'break', rows": ({"max_rows_to_read": "250"}, SPLIT),
    "read_overflow_mode = 'break', bytes": ({"max_bytes_to_read": "2000"}, NOTHING),
    "group_by_overflow_mode = 'any'": ({"max_rows_to_group_by": "150"}, SPLIT),
    "group_by_overflow_mode = 'break'": ({"max_rows_to_group_by": "150"}, SPLIT),
    "timeout_overflow_mode = 'break'": ({"max_execution_time": "0.0001"}, NOTHING),
}


def _cut_off() -> Iterator[Row]:
    """An answer cut off inside the query, under each mode."""
    for mode, (limits, outcome) in CUT.items():
        name, _, value = mode.partition(",")[0].partition(" = ")
        says = UNTRAINED if outcome is NOTHING else ""
        yield Row(f"cut off by {mode}", cut_off(**{name: value}, **limits), outcome, says)


BULK = (
    Row("one package: unknown", forgotten("flask"), CARRIED, "no downloads of a package called"),
    Row(
        "one package: its row is left out",
        clickhouse(edited(rb"flask\t.*\n", b"")),
        CARRIED,
        "answered without a single row",
    ),
    Row("one package: a negative count", _counts(b"-5"), CARRIED, UNUSABLE),
    Row("one package: half a download", _counts(b"1.5"), CARRIED, UNUSABLE),
    Row("one package: NULL", _counts(b"NULL"), CARRIED, UNUSABLE),
    Row("one package: nan", _counts(b"nan"), CARRIED, UNUSABLE),
    Row("one package: a huge count", _counts(b"9" + b"0" * 14), CARRIED, UNUSABLE),
    Row("one package: a count beyond int64", _counts(b"9" + b"0" * 29), CARRIED, UNUSABLE),
    Row("one package: a count too many", _counts(b"7,7"), CARRIED, UNUSABLE),
    Row("one package: a day too many", _days(b"1,2"), CARRIED, UNUSABLE),
    Row("one package: a day of 1970", _days(b"1"), CARRIED, UNUSABLE),
    Row("one package: a day of 2243", _days(b"99999"), CARRIED, UNUSABLE),
    Row("one package: a day that is none", _days(b"2026-11-01"), CARRIED, UNUSABLE),
    Row(
        "one package: a day twice",
        clickhouse(edited(rb"(?m)^(flask\t\[)\d+,(\d+)", rb"\1\2,\2")),
        CARRIED,
        UNUSABLE,
    ),
    Row(
        "one package: today, which is not over",
        clickhouse(edited(rb"(?m)^(flask\t\[[^]\n]*,)\d+\]", rb"\g<1>" + TODAY + b"]")),
        CARRIED,
        UNUSABLE,
    ),
    Row(
        "one package: counts without days",
        clickhouse(edited(rb"(?m)^flask\t\[[^]\n]*\]", rb"flask\t[]")),
        CARRIED,
        UNUSABLE,
    ),
    Row("429 once", clickhouse(429, 1), TRAINED),
    Row("503 once", clickhouse(503, 1), TRAINED),
    Row("hangs up once", clickhouse("drop", 1), TRAINED),
    Row("breaks off half-way once", clickhouse("cut", 1), TRAINED),
    Row("a quota that is used up for a while", clickhouse(exception(QUOTA), 1), TRAINED),
    Row("an exception in mid-stream once", clickhouse(midway(DISK, tagged=True), 1), TRAINED),
    Row(
        "the same of a server before 25.11",
        clickhouse(midway(DISK, tagged=False), 1),
        TRAINED,
    ),
    Row("301", clickhouse(301), NOTHING, UNTRAINED),
    Row("403", clickhouse(403), NOTHING, UNTRAINED),
    Row("404", clickhouse(404), NOTHING, UNTRAINED),
    Row("429", clickhouse(429), NOTHING, UNTRAINED),
    Row("500", clickhouse(500), NOTHING, UNTRAINED),
    Row("502", clickhouse(502), NOTHING, UNTRAINED),
    Row("503", clickhouse(503), NOTHING, UNTRAINED),
    Row("the table is not there", clickhouse(exception(NO_TABLE)), NOTHING, UNTRAINED),
    Row("the password is wrong", clickhouse(exception(PASSWORD)), NOTHING, UNTRAINED),
    Row("the quota is used up", clickhouse(exception(QUOTA)), NOTHING, UNTRAINED),
    Row("memory runs out", clickhouse(exception(MEMORY)), NOTHING, UNTRAINED),
    Row("an exception in mid-stream", clickhouse(midway(DISK, tagged=True)), NOTHING, UNTRAINED),
    Row(
        "an exception in mid-stream of a server before 25.11",
        clickhouse(midway(DISK, tagged=False)),
        NOTHING,
        UNTRAINED,
    ),
    Row(
        "memory runs out in mid-stream",
        clickhouse(midway(MEMORY, tagged=True)),
        NOTHING,
        UNTRAINED,
    ),
    Row("an HTML page", clickhouse(Answer(200, b"<html>", HTML)), NOTHING, UNTRAINED),
    Row("an empty answer", clickhouse(Answer(200, b"", TSV)), NOTHING, UNTRAINED),
    Row(
        "the row of a package that nobody asked for",
        clickhouse(edited(rb"flask\t", rb"evil\t")),
        NOTHING,
        UNTRAINED,
    ),
    Row(
        "a row twice",
        clickhouse(edited(rb"(?m)^(flask\t.*\n)", rb"\1\1")),
        NOTHING,
        UNTRAINED,
    ),
    Row("the last row is cut off", clickhouse(edited(rb"..\n\Z", b"")), NOTHING, UNTRAINED),
    Row("no end to it", clickhouse("endless"), NOTHING, UNTRAINED),
    *_cut_off(),
    *(replace(row, says=UNTRAINED) for row in _no_answer("all packages", clickhouse, NOTHING)),
    Row("nobody listens", closed("clickhouse"), NOTHING, UNTRAINED),
    Row(
        "nothing newer than last week's",
        lambda world: end_bulk_counts(world, days=8),
        NOTHING,
        "there are no newer counts: the newest count of any package is of 2026-11-14",
    ),
    Row(
        "something new, and yet six days old",
        lambda world: end_bulk_counts(world, days=5),
        Trainer.STALE,
        "the newest count of any package is of 2026-11-17, 5 days ago",
    ),
)
