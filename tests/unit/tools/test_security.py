"""The figures of SECURITY.md are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.data.on_demand import MAX_CONCURRENT, PER_CLIENT, TOTAL
from app.data.rate_limits import IPV6_PREFIX, IPV6_SITE
from app.data.store import CHECK_EVERY
from app.gradio_internals.session_cleanup import MAX_UNREAD
from app.page import MAX_DRAWING
from app.web.guard import MAX_DEPTH, Bounds
from app.web.shares import MINUTE
from forecast.bundle.manifest import LARGEST_MANIFEST, MOST_VALUES
from forecast.bundle.svg import LARGEST_PICTURE
from forecast.github import runs
from forecast.model.pickling import LARGEST_MODEL

PAGE = " ".join((Path(__file__).parents[3] / "SECURITY.md").read_text(encoding="utf-8").split())
BOUNDS = Bounds()
FIGURES = (
    f"{BOUNDS.body >> 10} kB, {MAX_DEPTH} levels of JSON and {BOUNDS.body_seconds:g} seconds per",
    f"{BOUNDS.target >> 10} kB per address; {BOUNDS.seconds:g} seconds per answer",
    f"{BOUNDS.concurrent_per_client} requests at once per client and per site",
    f"({BOUNDS.concurrent:,} for all); {BOUNDS.exports} files a minute per client",
    f"{MAX_UNREAD:,} unread results",
    f"{BOUNDS.pending} calls of a client and {BOUNDS.pending_per_site} of a site are in gradio's",
    f"fewer than its {MAX_DRAWING} workers; {BOUNDS.working} requests of a client and",
    f"{BOUNDS.working_per_site} of a site are worked on at once",
    f"and {BOUNDS.working_by_mcp} calls by MCP; while another site was there within a minute,",
    f"a minute, {BOUNDS.beside_others} requests and {BOUNDS.beside_others} calls that compute",
    f"at most {BOUNDS.patience:g} seconds (",
    f"{PER_CLIENT} an hour per client, {TOTAL} for all clients, {MAX_CONCURRENT} at once",
    f"at most {LARGEST_MODEL >> 10} kB a model",
    f"a manifest of at most {LARGEST_MANIFEST >> 20} MiB and {MOST_VALUES:,} values",
    f"no comment, at most {LARGEST_PICTURE >> 10} kB",
    f"at most {runs._MOST_FOREIGN} runs of other workflows or events, and {runs._MOST} in all",
    f"every {CHECK_EVERY / 60:g} minutes",
    f"an IPv6 network (/{IPV6_PREFIX}) counts as one, and a site (/{IPV6_SITE}) has",
)


@pytest.mark.parametrize("figures", FIGURES)
def test_the_page_has_these_figures(figures):
    assert figures in PAGE


def test_a_minute_has_sixty_seconds_and_a_queue_more_workers_than_places():
    assert MINUTE == 60.0
    assert BOUNDS.pending_per_site < MAX_DRAWING
