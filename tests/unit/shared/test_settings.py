"""Reading settings: bounds, misspelt names, secrets."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from shared.errors import ConfigError
from shared.settings import RoomcastSettings, SharedSettings, check_names, environment_names, load, table


class Example(RoomcastSettings):
    """A settings class for the tests."""

    wait_s: float = Field(2, ge=1, le=5)
    """How long to wait."""
    api_key: SecretStr = SecretStr("")
    """Opens the door."""


@pytest.fixture(autouse=True)
def _empty_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_value_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMCAST_WAIT_S", "3.5")
    assert load(Example).wait_s == 3.5


def test_a_value_comes_from_the_env_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("ROOMCAST_WAIT_S=4\n")
    assert load(Example).wait_s == 4
    monkeypatch.setenv("ROOMCAST_WAIT_S", "5")
    assert load(Example).wait_s == 5


def test_an_env_file_that_is_no_text_is_named_but_not_repeated(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("ROOMCAST_API_KEY=secret\n".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"\.env cannot be read") as caught:
        load(Example)
    assert "secret" not in str(caught.value)


def test_redis_keeps_the_name_the_world_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    assert load(SharedSettings).redis_url.get_secret_value() == "redis://elsewhere"


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMCAST_WAIT_S", "")
    assert load(Example).wait_s == 2


def test_a_value_out_of_bounds_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMCAST_WAIT_S", "987654")
    with pytest.raises(ConfigError, match="ROOMCAST_WAIT_S") as caught:
        load(Example)
    assert "987654" not in str(caught.value)


def test_a_misspelt_name_stops_the_start_with_the_nearest_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMCAST_WAITS", "3")
    with pytest.raises(ConfigError, match=r"ROOMCAST_WAITS is no setting \(did you mean ROOMCAST_WAIT_S\?\)"):
        load(Example)


def test_a_misspelt_name_in_the_env_file_counts_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ROOMCAST_WAIT_SECONDS=4\n")
    with pytest.raises(ConfigError, match="ROOMCAST_WAIT_SECONDS"):
        load(Example)


def test_foreign_names_are_none_of_our_business() -> None:
    check_names(["PATH", "WAIT_S"], known=["ROOMCAST_WAIT_S"])


def test_names_and_table_follow_from_the_class() -> None:
    assert environment_names(SharedSettings)["redis_url"] == "REDIS_URL"
    assert environment_names(Example) == {"wait_s": "ROOMCAST_WAIT_S", "api_key": "ROOMCAST_API_KEY"}
    assert "| `ROOMCAST_WAIT_S` | `2` | How long to wait. | example |" in table({"example": Example})
