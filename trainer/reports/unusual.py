"""The section of the job summary on packages whose last week was unusual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.presentation.record import last_week_sentences, week_sentence
from trainer.reports.summary import escaped

if TYPE_CHECKING:
    from forecast.bundle.manifest import Manifest
    from forecast.record.weeks import LastWeek

MOST_WEEKS = 20  # the farthest from what was expected


def unusual_weeks(last: LastWeek, manifest: Manifest) -> str:
    """The section in Markdown; empty if no package's last week was unusual.

    Args:
        last: the last week of all packages.
        manifest: has their names as configured.
    """
    if not last.weeks:
        return ""
    lines = ["", "### Unusual weeks", "", *last_week_sentences(last), ""]
    for week in last.weeks[:MOST_WEEKS]:
        entry = manifest.packages.get(week.package)
        sentence = week_sentence(week, entry.shown if entry else week.package)
        lines.append(f"- {escaped(sentence)}")
    if more := len(last.weeks) - MOST_WEEKS:
        lines += [f"- and {more:,} more, nearer to it"] if more > 0 else []
    return "\n".join(lines) + "\n"
