"""manifest.json: what a training run says about itself and about each package."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from forecast.config import (
    GROUP,
    LONGEST_NAME,
    LONGEST_TITLE,
    MOST_PARTS,
    is_label_of,
    is_normalised,
    is_series_name,
)
from forecast.errors import BundleError
from forecast.quantities import LONGEST_HORIZON

if TYPE_CHECKING:
    from typing import Self

    from forecast.model.model import Model

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 32 * 1024 * 1024  # bytes; 5,000 packages have 6
MOST_VALUES = 2_000_000  # in it; 5,000 packages have a fifth of it
FORMAT: Literal[2] = 2  # 1 had no medians and no totals, and models of another kind


def _check_name(name: str) -> str:
    if not is_normalised(name):
        raise ValueError("is not a normalized name (PEP 503)")
    return name


def _check_series_name(name: str) -> str:
    if not is_series_name(name):
        raise ValueError("is not a normalized name (PEP 503), and none after an @")
    return name


Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_check_name)]
SeriesName = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_check_series_name)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# Every calendar and every table can hold these.
Day = Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2200, 1, 1))]
Days = Annotated[tuple[Day, ...], Field(max_length=20_000)]
Number = Annotated[int, Field(ge=0, le=10**9)]
Term = Annotated[int, Field(ge=0, le=366)]  # an order, or the days of a season
Order = tuple[Term, Term, Term]
Kind = Literal["pypistats", "clickhouse", "sample", "folder"]  # where the counts come from
PUBLIC = frozenset({"pypistats", "clickhouse"})  # the same counts, and new ones every day
SeasonalOrder = tuple[Term, Term, Term, Term]
Text = Annotated[str, Field(max_length=2_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Error = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Backtest(_Frozen):
    """Accuracy of a package's forecasts by rolling-origin evaluation; None where unknown."""

    origins: Number
    mase: Error | None = None
    naive_mase: Error | None = None
    ratio: Error | None = None
    coverage_80: Share | None = None
    coverage_95: Share | None = None
    total_error: Annotated[
        Error | None, Field(description="mean absolute logarithm of total over forecast")
    ] = None


class MemberEntry(_Frozen):
    """One of the ARIMAs that are averaged: a pooled one, with its theta, or the searched one."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # format 1 tells more of a member

    order: Order
    seasonal_order: SeasonalOrder
    weight: Share
    theta: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] | None = None

    @property
    def notation(self) -> str:
        """The orders as Box and Jenkins write them: (p,d,q)(P,D,Q)m."""
        *seasonal, m = self.seasonal_order
        text = f"({','.join(map(str, self.order))})"
        return text + f"({','.join(map(str, seasonal))}){m}" if m > 1 else text


def member_entries(model: Model) -> list[MemberEntry]:
    """The ARIMAs that a model averages: the pooled ones, then the searched one."""
    return [
        MemberEntry(
            order=arima.order, seasonal_order=arima.seasonal_order, weight=weight, theta=theta
        )
        for arima, theta, weight in model.members()
    ]


class PartEntry(_Frozen):
    """One package of a group."""

    name: Name
    missing: Annotated[Text, Field(description="why it is not in the sum")] = ""
    no_counts_since: Annotated[
        Day | None, Field(description="the last day with a download, if they stopped")
    ] = None
    no_counts_before: Annotated[
        Day | None, Field(description="the first day with counts, if others have earlier ones")
    ] = None

    @property
    def remark(self) -> str:
        """What must be said of it, in words that follow its name; empty if nothing."""
        if self.missing:
            return f"is not in the sum: {self.missing}"
        said = []
        if self.no_counts_before:
            said.append(f"has no counts before {self.no_counts_before}")
        if self.no_counts_since:
            said.append(f"has no counts since {self.no_counts_since}")
        return " and ".join(said)


class PackageEntry(_Frozen):
    """What a run says about one package.

    ``status`` is "trained" in this run, "carried" over from an earlier one with its model,
    or "failed" and without a model; ``reason`` says why it is not "trained".
    """

    label: Text
    title: Annotated[str, Field(max_length=LONGEST_TITLE, description="only of a group")] = ""
    parts: Annotated[
        tuple[PartEntry, ...], Field(max_length=MOST_PARTS, description="only of a group")
    ] = ()
    status: Literal["trained", "carried", "failed"]
    reason: Text = ""
    trained_at: AwareDatetime | None = None
    file: str | None = None
    sha256: Sha256 | None = None
    m: Term | None = None
    order: Order | None = None
    seasonal_order: SeasonalOrder | None = None
    members: Annotated[tuple[MemberEntry, ...], Field(max_length=64)] = ()
    candidates: Number = 0
    note: Annotated[Text, Field(description="only of format 1")] = ""
    trained_through: Day | None = None
    no_counts_since: Annotated[
        Day | None, Field(description="the last day with a download, if they stopped")
    ] = None
    n_obs: Number = 0
    repaired: Days = ()
    revised: Annotated[Number, Field(description="days corrected since the run before")] = 0
    backtest: Backtest | None = None
    seconds: Error = 0.0

    @model_validator(mode="after")
    def _check_group(self) -> Self:
        if (self.title or self.parts) and not self.label.startswith(GROUP):
            raise ValueError("has a title or parts, but is no group")
        return self

    @property
    def shown(self) -> str:
        """What it is called in sentences."""
        return self.title or self.label


class Manifest(_Frozen):
    """The file to read first: it lists all the others with their digests."""

    format: Literal[1, 2] = FORMAT
    created_at: AwareDatetime
    commit: Text = ""
    run: Text = ""
    source: Kind
    mirrors: bool
    forecast_days: Annotated[int, Field(ge=1, le=LONGEST_HORIZON)]
    m_values: Annotated[tuple[Term, ...], Field(max_length=64)]
    versions: Annotated[dict[Text, Text], Field(max_length=100)]
    outages: Days = ()
    files: dict[str, Sha256] = {}
    packages: dict[SeriesName, PackageEntry]

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        for name, entry in self.packages.items():
            if not is_label_of(entry.label, name):
                raise ValueError(f"the label of {name} is no spelling of that name")
        return self

    @property
    def outdated(self) -> bool:
        """Whether an earlier version made it, whose models this one does not load."""
        return self.format < FORMAT

    @property
    def shareable(self) -> bool:
        """Whether other pages may show it: a picture could not say that its counts are made up."""
        return self.source != "sample"

    @property
    def known_through(self) -> dt.date | None:
        """The last day that any package was trained through."""
        days = [entry.trained_through for entry in self.packages.values() if entry.trained_through]
        return max(days, default=None)

    @property
    def labels(self) -> dict[str, str]:
        """What the packages are called in sentences, by name."""
        return {name: entry.shown for name, entry in self.packages.items()}

    @property
    def modelled(self) -> dict[str, PackageEntry]:
        """The packages that have a model, in the order of the config."""
        return {name: entry for name, entry in self.packages.items() if entry.file}

    def model_of(self, name: str) -> PackageEntry | None:
        """The entry of a package that has a model, by one look-up; None if it has none."""
        entry = self.packages.get(name)
        return entry if entry is not None and entry.file else None

    def dump(self) -> bytes:
        """The manifest as the bytes of manifest.json."""
        return self.model_dump_json(indent=1).encode() + b"\n"


def parse_manifest(data: bytes) -> Manifest:
    """Read the bytes of a manifest.json.

    Raises:
        BundleError: with the first field that is wrong.
    """
    # Values take more memory than their bytes, so both are counted before any is read.
    if len(data) > LARGEST_MANIFEST or data.count(b",") > MOST_VALUES:
        raise BundleError(
            f"{MANIFEST}: expected at most {LARGEST_MANIFEST:,} bytes and {MOST_VALUES:,} values"
        )
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    where = place.encode("unicode_escape").decode()[:200]  # keys may hold anything
    if where == "format":
        raise BundleError(f"{MANIFEST} is of a format that this version does not read: update it")
    raise BundleError(f"{MANIFEST}: {where or 'the whole'}: {first['msg']}")
