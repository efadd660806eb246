"""A group from the folder of counts to the answer of ``/forecast``."""

import datetime as dt

from app.launch import Settings, assemble
from app.web.endpoints import answer
from forecast.bundle.reader import read_folder
from forecast.config import load_config
from tests.bundles import counts
from trainer import cli

NOW = dt.datetime(2026, 11, 22, 3, 23, tzinfo=dt.UTC)
CONFIG = """\
packages = ["flask"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [7]

[[groups]]
name = "pallets"
title = "The projects"
packages = ["flask", "Click", "gone"]
"""


def test_a_group_of_a_folder_is_forecast(tmp_path):
    config, folder, output = tmp_path / "config.toml", tmp_path / "counts", tmp_path / "models"
    config.write_text(CONFIG, encoding="utf-8")
    folder.mkdir()
    series = {"flask": counts(size=900), "click": counts(size=2000)}
    for name, each in series.items():
        each.rename_axis("date").to_csv(folder / f"{name}.csv")

    site = tmp_path / "site"
    words = [f"--config={config}", f"--source={folder}", f"--output={output}", "--jobs=1"]
    words.append(f"--site={site}")
    environment = {"SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))}
    assert cli.run(["@pallets", *words], environment) == 0

    bundle = read_folder(output)
    assert bundle.names == ["@pallets"]
    assert bundle.history("@pallets").tolist() == (series["flask"] + series["click"]).tolist()
    settings = Settings.from_environment(
        {"MODELS_DIR": str(output), "FORECAST_CONFIG": str(config)}
    )
    forecasts = assemble(settings, load_config(config), lambda: NOW)
    forecasts.store.refresh()
    found = answer(forecasts, "@Pallets", 30, NOW)
    assert found["package"] == "@pallets"
    assert found["forecast"][0]["date"] == "2026-11-22"
    expected = sum(float(each.iloc[-28:].mean()) for each in series.values())
    mean = sum(day["mean"] for day in found["forecast"]) / 30
    assert 0.8 < mean / expected < 1.25
    said = forecasts.package_forecast(forecasts.first()[0]).parts
    assert [part.name for part in said if part.missing] == ["gone"]
    page = (site / "group" / "pallets" / "index.html").read_text(encoding="utf-8")
    assert "Forecast for The projects" in page
    assert "The sum of 2 packages: flask and click." in page
    assert "gone is not counted here: there were no counts of it in files of the owner." in page
    assert "gone.csv is not there" not in page  # that is for the owner
    assert (site / "group" / "pallets" / "badge.svg").is_file()
