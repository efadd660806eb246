from types import SimpleNamespace

import pytest

from app.data.store import CHECK_EVERY, ArtifactSource, FolderSource, Snapshot, Store
from forecast.config import Config
from forecast.errors import ArtifactError, BundleError, CorruptArtifactError
from forecast.github.api import TransientArtifactError
from forecast.github.artifact import Provenance
from tests.bundles import files_of, make_bundle, replace_folder, zip_of
from tests.pages import Answers

CONFIG = Config(
    packages=["Flask", "requests"],  # type: ignore[arg-type] # pydantic reads them
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(3, 6, 7),
)


PROVENANCE = Provenance("owner/repo", ".github/workflows/upload_artifact.yml", "c" * 40, 11)


class Client(Answers):
    """A client of GitHub, whose artifacts are zips; the index is the id, and the age.

    Args:
        zips: bytes, or an error.
        answers: ids that it calls the newest, one after the other.
    """

    def __init__(self, zips, *answers):
        super().__init__(*(None if at is None else self.artifact(at) for at in answers))
        self.zips, self.downloaded = zips, []

    def artifact(self, at):
        return SimpleNamespace(id=at, provenance=None)

    def older(self, artifact):
        if artifact.id == 0:
            raise ArtifactError("none")
        return self.artifact(artifact.id - 1)

    def download(self, artifact):
        self.downloaded.append(artifact.id)
        zipped = self.zips[artifact.id]
        if isinstance(zipped, Exception):
            raise zipped
        return zipped


GOOD = zip_of(make_bundle())
BAD = b"no zip"
OTHER = CorruptArtifactError("another digest")


def test_before_the_first_look():
    store = Store(CONFIG, Answers())
    assert store.snapshot == Snapshot(None, "", looked=False)
    assert store.wait(0.0) is store.snapshot


def test_a_bundle_comes_into_use():
    bundle = make_bundle()
    store = Store(CONFIG, Answers(bundle))
    assert store.refresh() == CHECK_EVERY == 900
    assert store.snapshot == Snapshot(bundle, "", looked=True)


def test_nothing_new_keeps_it():
    bundle = make_bundle()
    store = Store(CONFIG, Answers(bundle, None))
    store.refresh()
    store.refresh()
    assert store.snapshot.bundle is bundle


def test_a_failure_keeps_the_last_good_one_and_says_why():
    bundle = make_bundle()
    store = Store(CONFIG, Answers(bundle, ArtifactError("GitHub is down."), None))
    store.refresh()
    store.refresh()
    assert store.snapshot == Snapshot(bundle, "GitHub is down.", looked=True)
    store.refresh()
    assert store.snapshot.problem == ""


@pytest.mark.parametrize(
    ("asked", "rest"), [(0.0, 900), (60.0, 900), (3600.0, 3600), (1e9, 6 * 3600)]
)
def test_github_is_left_alone_as_long_as_it_asks(asked, rest):
    store = Store(CONFIG, Answers(ArtifactError("limit", retry_after=asked)))
    assert store.refresh() == rest


def test_what_nobody_expected_is_told_and_survived():
    bundle = make_bundle()
    store = Store(CONFIG, Answers(RuntimeError("secret detail"), bundle))
    store.refresh()
    assert "RuntimeError" in store.snapshot.problem
    assert "secret" not in store.snapshot.problem
    store.refresh()
    assert store.snapshot.bundle is bundle


def test_a_snapshot_in_use_does_not_change():
    first, second = make_bundle(), make_bundle(("django",))
    store = Store(CONFIG, Answers(first, second))
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

    store = Store(CONFIG, Answers(bundle))
    store.notify = prepare
    store.refresh()
    assert prepared == [bundle]
    assert store.snapshot.bundle is bundle


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_thread_checks_again_and_again():
    class Source:
        checks, problem, provenance = 0, "", None

        def newest(self):
            self.checks += 1
            if self.checks == 3:
                raise SystemExit  # ends the thread

    source = Source()
    thread = Store(CONFIG, source, every=0.01).start()
    thread.join(10)
    assert not thread.is_alive()
    assert source.checks == 3
    assert thread.daemon


def test_packages_are_the_config_s_and_then_the_bundle_s():
    store = Store(CONFIG, Answers(make_bundle(("requests", "django"))))
    assert [package.label for package in store.catalogue.packages] == ["Flask", "requests"]
    store.refresh()
    labels = [package.label for package in store.catalogue.packages]
    assert labels == ["Flask", "requests", "django"]
    assert store.catalogue is store.catalogue


def test_artifacts_are_downloaded_when_new():
    source = ArtifactSource(Client([GOOD], 0, None))
    assert source.newest().names == ["flask", "requests"]
    assert source.newest() is None
    assert source.problem == ""


def test_a_refused_artifact_is_not_downloaded_again_and_stays_a_problem():
    client = Client([GOOD, BAD, GOOD], 0, 1, None, 2, None)
    source = ArtifactSource(client)
    assert source.newest() is not None
    for _ in range(2):
        with pytest.raises(BundleError, match=r"refused.*Run the workflow again"):
            source.newest()
    assert source.newest() is not None
    assert source.newest() is None
    assert client.downloaded == [0, 1, 2]


@pytest.mark.parametrize("bad", [BAD, OTHER])
def test_without_any_the_newest_good_one_serves(bad):
    client = Client([GOOD, GOOD, bad, bad, GOOD], 3, None, 4, None)
    store = Store(CONFIG, ArtifactSource(client))
    store.refresh()
    assert client.downloaded == [3, 2, 1]
    assert store.snapshot.bundle is not None
    assert store.snapshot.problem.startswith("The newest artifact was refused: ")
    old = store.snapshot.bundle
    store.refresh()
    assert store.snapshot.bundle is old
    store.refresh()
    assert store.snapshot.bundle is not old
    assert store.snapshot.problem == ""


def test_so_many_older_ones_are_tried_and_each_once():
    client = Client([GOOD, *[BAD] * 4], 4, None)
    source = ArtifactSource(client)
    for _ in range(2):
        with pytest.raises(BundleError, match="refused"):
            source.newest()
    assert client.downloaded == [4, 3, 2, 1]


def test_an_older_one_that_cannot_be_had_now_is_asked_for_again():
    client = Client([TransientArtifactError("down"), BAD], 1, None)
    source = ArtifactSource(client)
    with pytest.raises(TransientArtifactError):
        source.newest()
    client.zips[0] = GOOD
    assert source.newest() is not None
    assert client.downloaded == [1, 0, 0]


def test_one_in_use_is_not_replaced_by_an_older_one():
    client = Client([GOOD, GOOD, OTHER], 0, 2)
    source = ArtifactSource(client)
    assert source.newest() is not None
    with pytest.raises(ArtifactError, match="another digest"):
        source.newest()
    assert client.downloaded == [0, 2]


def test_what_was_verified_goes_with_the_bundle_and_with_no_other():
    client = Client([GOOD, BAD, GOOD], 0, 1, None, 2)
    for artifact in client.answers[:2]:
        artifact.provenance = PROVENANCE
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
