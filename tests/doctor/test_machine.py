"""What is wrong with this computer and its configuration is found."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.doctor import machine
from bot.doctor.finding import counted, how_long, how_much
from dialogues.errors import TaggerError
from tests.doctor.conftest import Configure, found

TODAY = datetime(2026, 11, 27, tzinfo=UTC)


class TestConfiguration:
    """The configuration."""

    def read(self, folder: Path, text: str) -> tuple[object, list[machine.Finding]]:
        file = folder / "config.toml"
        file.write_text(text)
        return machine.configuration(file, {})

    def test_it_can_be_read(self, tmp_path: Path) -> None:
        known, findings = self.read(tmp_path, "")
        assert known is not None
        found(findings, "configuration", "ok", "config.toml can be read")

    def test_it_has_errors(self, tmp_path: Path) -> None:
        known, findings = self.read(tmp_path, "[telegram]\ntoken = 7\nnonsense = 1\n")
        assert known is None
        found(findings, "configuration", "trouble", "2 errors, the first: ")

    def test_it_has_warnings(self, tmp_path: Path) -> None:
        _, findings = machine.configuration(None, {"PULSE_NONSENSE": "1"})
        found(findings, "configuration", "warning", "1 warning")

    def test_it_is_no_toml(self, tmp_path: Path) -> None:
        known, findings = self.read(tmp_path, "\0")
        assert known is None
        found(findings, "configuration", "trouble", "pulse check")

    def test_it_is_not_there(self, tmp_path: Path) -> None:
        known, findings = machine.configuration(tmp_path / "no.toml", {})
        assert known is None
        found(findings, "configuration", "trouble", "pulse check")


class TestSurveys:
    """The surveys."""

    def test_they_can_be_used(self, configure: Configure) -> None:
        found([machine.surveys(configure())], "surveys", "ok", "4 surveys")

    def test_one_cannot(self, configure: Configure, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "a.toml").write_text('survey = "a"\n')
        finding = machine.surveys(configure('surveys = "mine/"'))
        found([finding], "surveys", "trouble", "a.toml")


class TestTimeZones:
    """When clocks change."""

    COHORT = '[[cohort]]\nname = "a"\ntimezone = "Europe/London"\n'

    def test_they_are_known(self, configure: Configure) -> None:
        known = configure(self.COHORT)
        found([machine.time_zones(known, today=TODAY)], "time zones", "ok", "known")

    def test_one_is_not(self, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
        known = configure(self.COHORT)

        def refusing(name: str) -> None:
            raise machine.zoneinfo.ZoneInfoNotFoundError(name)

        monkeypatch.setattr(machine.zoneinfo, "ZoneInfo", refusing)
        finding = machine.time_zones(known, today=TODAY)
        found([finding], "time zones", "trouble", "does not know Europe/London")

    def test_the_data_are_old(
        self, configure: Configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "Europe").mkdir()
        (tmp_path / "Europe" / "London").touch()
        (tmp_path / "tzdata.zi").write_text("# version 2019c\nand so on\n")
        monkeypatch.setattr(machine.zoneinfo, "TZPATH", (str(tmp_path),))
        finding = machine.time_zones(configure(), today=TODAY)
        found([finding], "time zones", "warning", "of 2019c")
        (tmp_path / "tzdata.zi").write_text("something else\n")
        finding = machine.time_zones(configure(), today=TODAY)
        found([finding], "time zones", "ok", "known.")

    def test_the_package_says_it_where_the_system_has_none(
        self, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine.zoneinfo, "TZPATH", ())
        finding = machine.time_zones(configure(), today=TODAY)
        found([finding], "time zones", "ok", "of 202")


class TestTagger:
    """The tagger."""

    def test_it_reads(self, configure: Configure) -> None:
        found([machine.tagger(configure())], "tagger", "ok", "loads and reads")

    def test_its_model_is_missing(self, configure: Configure) -> None:
        finding = machine.tagger(configure('[tagger]\nmodel = "nowhere"\n'))
        found([finding], "tagger", "trouble", "nowhere")

    @pytest.mark.parametrize(
        ("error", "says"), [(TaggerError("It is broken."), "broken"), (MemoryError(), "MemoryE")]
    )
    def test_it_does_not_load(
        self,
        configure: Configure,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        says: str,
    ) -> None:
        def failing(*_: object) -> None:
            raise error

        monkeypatch.setattr("nlp.load.load_tagger", failing)
        found([machine.tagger(configure())], "tagger", "trouble", says)


class TestNumbers:
    """Numbers for people."""

    def test_they_are_short(self) -> None:
        from datetime import timedelta

        assert [how_long(timedelta(seconds=n)) for n in (0, 59, 61, 3600, 90061)] == [
            "0 s",
            "59 s",
            "1 min 1 s",
            "1 h",
            "1 d 1 h",
        ]
        assert [how_much(n) for n in (0, 999, 1500, 2.5e6, 3e9, 4.2e12)] == [
            "0 bytes",
            "999 bytes",
            "1.5 kB",
            "2.5 MB",
            "3.0 GB",
            "4.2 TB",
        ]
        assert [counted(1, "wave"), counted(2000, "wave")] == ["1 wave", "2,000 waves"]
        assert counted(2, "person", "people") == "2 people"


class TestCommand:
    """`pulse doctor`."""

    def test_it_tells_all_and_ends_with_0_without_trouble(
        self,
        configure: Configure,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        configure()
        assert main(["doctor", "--config", str(tmp_path / "config.toml")]) == 0
        said = capsys.readouterr().out
        assert "ok      configuration: " in said
        assert "warning channels: Neither Telegram nor Slack is configured.\n        Set " in said
        assert said.endswith("No trouble; 1 warning.\n")

    def test_it_ends_with_1_where_there_is_trouble(
        self,
        configure: Configure,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        configure('[telegram]\ntoken = "987654321:Quixotic"\napi_base_url = "http://127.0.0.1:9"\n')
        assert main(["doctor", "--json", "--config", str(tmp_path / "config.toml")]) == 1
        said = capsys.readouterr().out
        report = json.loads(said)
        assert report["trouble"] == 1
        states = {one["check"]: one["state"] for one in report["findings"]}
        assert states["telegram"] == "trouble"
        assert states["clock"] == "warning"
        assert "Quixotic" not in said

    def test_a_broken_configuration_is_trouble(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        (tmp_path / "config.toml").write_text("nonsense = 1\n")
        assert main(["doctor", "--config", str(tmp_path / "config.toml")]) == 1
        assert capsys.readouterr().out.endswith("Trouble with 1 thing; 0 warnings.\n")
