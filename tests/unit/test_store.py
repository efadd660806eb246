import threading
from dataclasses import replace

import pytest

from app.store import CHECK_EVERY, ArtifactSource, FolderSource, Snapshot, Store
from forecast.artifacts import Artifact
from forecast.bundle import files_of
from forecast.config import Config
from forecast.errors import ArtifactError, BundleError
from forecast.folder import replace_folder
from forecast.provenance import Provenance
from tests.bundles import CREATED_AT, make_bundle, zip_of

CONFIG = Config(
    packages=["Flask", "requests"],
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(3, 6, 7),
)


ONE = Artifact(1, CREATED_AT, None, "sha256:1", 1, 11, "c" * 40)
PROVENANCE = Provenance("owner/repo", ".github/workflows/upload_artifact.yml", "c" * 40, 11)


class Fake:
    """A source, or a client of GitHub, that answers from a list."""

    provenance = None

    def __init__(self, *answers):
        self.answers = list(answers)
        self.zips = {}

    def newest(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def download(self, artifact):
        return self.zips[artifact]


def test_before_the_first_look():
    store = Store(CONFIG, Fake())
    assert store.snapshot == Snapshot(None, "", looked=False)
    assert store.wait(0.0) is store.snapshot


def test_a_bundle_comes_into_use():
    bundle = make_bundle()
    store = Store(CONFIG, Fake(bundle))
    assert store.refresh() == CHECK_EVERY == 900
    assert store.snapshot == Snapshot(bundle, "", looked=True)


def test_nothing_new_keeps_it():
    bundle = make_bundle()
    store = Store(CONFIG, Fake(bundle, None))
    store.refresh()
    store.refresh()
    assert store.snapshot.bundle is bundle


def test_a_failure_keeps_the_last_good_one_and_says_why():
    bundle = make_bundle()
    store = Store(CONFIG, Fake(bundle, ArtifactError("GitHub is down."), None))
    store.refresh()
    store.refresh()
    assert store.snapshot == Snapshot(bundle, "GitHub is down.", looked=True)
    store.refresh()
    assert store.snapshot.problem == ""


@pytest.mark.parametrize(
    ("asked", "rest"), [(0.0, 900), (60.0, 900), (3600.0, 3600), (1e9, 6 * 3600)]
)
def test_github_is_left_alone_as_long_as_it_asks(asked, rest):
    store = Store(CONFIG, Fake(ArtifactError("limit", retry_after=asked)))
    assert store.refresh() == rest


def test_what_nobody_expected_is_told_and_survived():
    bundle = make_bundle()
    store = Store(CONFIG, Fake(RuntimeError("secret detail"), bundle))
    store.refresh()
    assert "RuntimeError" in store.snapshot.problem
    assert "secret" not in store.snapshot.problem
    store.refresh()
    assert store.snapshot.bundle is bundle


def test_a_snapshot_in_use_does_not_change():
    first, second = make_bundle(), make_bundle(("django",))
    store = Store(CONFIG, Fake(first, second))
    store.refresh()
    held = store.snapshot
    store.refresh()
    assert held.bundle is first
    assert store.snapshot.bundle is second


def test_who_prepares_a_bundle_may_fail():
    bundle = make_bundle()
    prepared = []

    def prepare(given):
        prepared.append(given)
        raise RuntimeError

    store = Store(CONFIG, Fake(bundle))
    store.notify = prepare
    store.refresh()
    assert prepared == [bundle]
    assert store.snapshot.bundle is bundle


def test_the_thread_looks_again_and_ends():
    again = threading.Event()

    class Source:
        provenance = None
        looks = 0

        def newest(self):
            self.looks += 1
            if self.looks == 3:
                again.set()

    store = Store(CONFIG, Source(), every=0.01)
    thread = store.start()
    assert again.wait(10)
    store.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert thread.daemon


def test_packages_are_the_config_s_and_then_the_bundle_s():
    store = Store(CONFIG, Fake(make_bundle(("requests", "django"))))
    assert [package.label for package in store.packages()] == ["Flask", "requests"]
    store.refresh()
    assert [package.label for package in store.packages()] == ["Flask", "requests", "django"]


def test_artifacts_are_downloaded_when_new():
    client = Fake(ONE, None)
    client.zips[ONE] = zip_of(make_bundle())
    source = ArtifactSource(client)
    assert source.newest().names == ["flask", "requests"]
    assert source.newest() is None


def test_a_refused_artifact_is_not_downloaded_again_and_stays_a_problem():
    bad, good = ONE, replace(ONE, id=2)
    client = Fake(bad, None, good, None)
    client.zips = {bad: b"no zip", good: zip_of(make_bundle())}
    source = ArtifactSource(client)
    for _ in range(2):
        with pytest.raises(BundleError, match=r"refused.*Run the workflow again"):
            source.newest()
    assert source.newest() is not None
    assert source.newest() is None


def test_what_was_verified_goes_with_the_bundle_and_with_no_other():
    attested = replace(ONE, provenance=PROVENANCE)
    bad = replace(attested, id=2)
    client = Fake(attested, bad, None, replace(ONE, id=3))
    client.zips = {each: zip_of(make_bundle()) for each in (attested, replace(ONE, id=3))}
    client.zips[bad] = b"no zip"
    store = Store(CONFIG, ArtifactSource(client))
    for _ in range(3):
        store.refresh()
        assert store.snapshot.provenance == PROVENANCE
    store.refresh()
    assert store.snapshot.provenance is None


def test_a_folder_is_read_again_when_its_manifest_changes(tmp_path):
    folder = tmp_path / "models"
    replace_folder(folder, files_of(make_bundle()))
    source = FolderSource(folder)
    assert source.newest().names == ["flask", "requests"]
    assert source.newest() is None
    replace_folder(folder, files_of(make_bundle(("django",))))
    assert source.newest().names == ["django"]


def test_no_folder_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match="python -m trainer --output"):
        FolderSource(tmp_path / "none").newest()


def test_a_folder_with_a_changed_file_is_refused_until_it_is_whole(tmp_path):
    folder = tmp_path / "models"
    replace_folder(folder, files_of(make_bundle()))
    whole = (folder / "flask.pkl").read_bytes()
    (folder / "flask.pkl").write_bytes(whole + b"x")
    source = FolderSource(folder)
    with pytest.raises(BundleError, match=r"flask\.pkl"):
        source.newest()
    (folder / "flask.pkl").write_bytes(whole)
    assert source.newest() is not None
