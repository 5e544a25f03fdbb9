"""Settings: what both services share, and how a settings class is read.

Names in the environment (and in `.env`) are `ROOMCAST_<FIELD>`; a few keep the bare names the world knows. A misspelt
`ROOMCAST_*` stops the start with the nearest right name: pydantic-settings does not notice those by itself.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigError

PREFIX = "ROOMCAST_"
NAMES_FILE = Path(__file__).with_name("setting_names.txt")
"""Every name that any part of the project reads. No part can import the others' classes, so the list is a file;
`make docs` writes it, and a test keeps it equal to the classes."""

Settings = TypeVar("Settings", bound=BaseSettings)


class RoomcastSettings(BaseSettings):
    """Base of every settings class: prefix, `.env`, bounds checked, docstrings as descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class SharedSettings(RoomcastSettings):
    """What gateway and ingestor must agree on."""

    redis_url: SecretStr = Field(
        SecretStr("redis://localhost:6379/0"), validation_alias=AliasChoices("REDIS_URL", "redis_url")
    )
    """Redis, Valkey, Sentinel, Cluster or in-process: `redis://`, `rediss://`, `unix://`, `redis+sentinel://`, `redis+cluster://`, `memory://`."""  # noqa: E501
    host: str = Field("0.0.0.0", validation_alias=AliasChoices("HOST", "host"))  # noqa: S104 - a server in a container
    """Address to listen on."""
    idle_timeout_s: float = Field(300, ge=1, le=86_400)
    """How long a room runs on after its last client left."""
    lease_ttl_s: float = Field(10, ge=1, le=120)
    """How long a silent ingestor keeps its rooms; renewed every third of it."""
    history_ttl_s: float = Field(600, ge=1, le=86_400)
    """How long a room's log outlives its last write."""
    history_len: int = Field(2000, ge=10, le=100_000)
    """Events kept per room for clients that come back."""
    history_bytes: int = Field(4 * 1024 * 1024, ge=64 * 1024, le=256 * 1024 * 1024)
    """Bytes of events kept per room, whatever their number."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """From this level on messages are logged."""
    log_format: Literal["human", "json"] = "human"
    """One line for people, or one JSON object per line for machines."""


def environment_names(cls: type[BaseSettings]) -> dict[str, str]:
    """Field name -> its name in the environment (the first one, where there are several)."""
    names = {}
    for field, info in cls.model_fields.items():
        alias = info.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias] if isinstance(alias, str) else []
        bare = next((str(choice) for choice in choices if str(choice).isupper()), None)
        names[field] = bare or f"{PREFIX}{field.upper()}"
    return names


def load(cls: type[Settings], **overrides: Any) -> Settings:
    """Read a settings class from the environment and `.env`.

    Args:
        cls: what to read.
        overrides: values by field name that stand above the environment; they are checked like any other.

    Raises:
        ConfigError: a value is out of bounds, a ROOMCAST_* name is not known, or `.env` cannot be read. Values are not
            repeated: they may be secrets.
    """
    try:
        in_file = dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f".env cannot be read as UTF-8 text ({type(error).__name__})") from None
    check_names([*os.environ, *in_file], known=[*_known_names(), *environment_names(cls).values()])
    try:
        return cls(**overrides)
    except ValidationError as error:
        names = environment_names(cls)
        problems = "; ".join(
            f"{names.get(str(problem['loc'][0]), problem['loc'][0]) if problem['loc'] else 'settings'}: "
            f"{problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigError(problems) from None


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse every ROOMCAST_* name that nobody reads.

    Raises:
        ConfigError: naming each, with the nearest right one.
    """
    known = sorted(set(known))
    unknown = sorted({name for name in names if name.upper().startswith(PREFIX)} - set(known))
    if unknown:
        hints = []
        for name in unknown:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0)
            hints.append(f"{name} is no setting" + (f" (did you mean {near[0]}?)" if near else ""))
        raise ConfigError("; ".join(hints))


def table(classes: Mapping[str, type[BaseSettings]]) -> str:
    """A Markdown table of all settings, for the documentation."""
    lines = ["| name | default | what for | read by |", "|---|---|---|---|"]
    rows: dict[str, tuple[str, str, list[str]]] = {}
    for part, cls in classes.items():
        for field, name in environment_names(cls).items():
            info = cls.model_fields[field]
            what = " ".join((info.description or "").split())
            row = rows.setdefault(name, ("" if info.default_factory else _shown(info.get_default()), what, []))
            row[2].append(part)
    lines += [
        f"| `{name}` | {default} | {what} | {', '.join(parts)} |" for name, (default, what, parts) in rows.items()
    ]
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    return f"`{default}`" if default not in (None, "", (), []) else ""


def _known_names() -> list[str]:
    return NAMES_FILE.read_text("utf8").split()
