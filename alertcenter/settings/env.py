"""Which settings did the operator give? The one reader of the environment.

Values come from the process environment, then from `.env` beside manage.py.
Every error names the variable and says in one sentence what it should be.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from alertcenter.settings.home import load_secrets, run_directory

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("development", "staging", "production", "test")
ROLES = ("app", "engine", "owner")
DATABASE_NAME = "alertcenter"
POSTGRES_SCHEMES = ("postgres", "postgresql")


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable."""


def read_dotenv(path: Path) -> dict[str, str]:
    """Parse `KEY=value` lines; quotes around a value and `export ` are dropped."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for line in path.read_text().splitlines():
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#") or "=" not in text:
            continue
        name, value = text.split("=", 1)
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name.strip()] = value
    return values


@dataclass(frozen=True)
class Env:
    """The environment, read once and checked on access."""

    values: dict[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
        raise SettingsError(f"{name} must be 1 or 0, not {value!r}.")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            raise SettingsError(
                f"{name} must be a whole number from {low} to {high}, not {value!r}."
            )
        return int(value)

    def address(self, name: str) -> str:
        """Return an address to be called, or ""."""
        value = self.text(name)
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise SettingsError(f"{name} must begin with https:// or http://.")
        return value

    # --- the installation ---

    @cached_property
    def environment(self) -> str:
        value = self.text("ALERTCENTER_ENV", "development")
        if value not in ENVIRONMENTS:
            raise SettingsError(
                f"ALERTCENTER_ENV must be one of {', '.join(ENVIRONMENTS)}, "
                f"not {value!r}."
            )
        return value

    @cached_property
    def home(self) -> Path:
        return Path(self.text("ALERTCENTER_HOME", str(ROOT / "var"))).absolute()

    @cached_property
    def run(self) -> Path:
        return run_directory(self.home)

    @cached_property
    def secrets(self) -> dict[str, str]:
        return load_secrets(self.home)

    @cached_property
    def port(self) -> int:
        return self.number("PORT", 8000, 1, 65535)

    @cached_property
    def web_concurrency(self) -> int:
        return self.number("WEB_CONCURRENCY", 1, 1, 64)

    @cached_property
    def base_url(self) -> str:
        value = self.text("ALERTCENTER_BASE_URL", f"http://127.0.0.1:{self.port}")
        if urlsplit(value).scheme not in ("http", "https"):
            raise SettingsError(
                "ALERTCENTER_BASE_URL must start with http:// or https://, "
                f"not {value!r}."
            )
        return value.rstrip("/")

    @cached_property
    def simulation(self) -> bool:
        return self.flag("ALERTCENTER_SIMULATION", self.environment == "development")

    @cached_property
    def delivery_pace(self) -> bool:
        """Whether providers' rates are kept to; what they ask for is obeyed always."""
        return self.flag("ALERTCENTER_DELIVERY_PACE", self.environment != "test")

    # --- secrets ---

    @cached_property
    def secret_key(self) -> str:
        return self._secret("ALERTCENTER_SECRET_KEY", "secret_key")

    @cached_property
    def kek(self) -> bytes:
        value = self._secret("ALERTCENTER_KEK", "kek")
        try:
            key = base64.b64decode(value, validate=True)
        except ValueError as error:
            raise SettingsError("ALERTCENTER_KEK must be base64.") from error
        if len(key) != 32:
            raise SettingsError("ALERTCENTER_KEK must be 32 bytes in base64.")
        return key

    @cached_property
    def pepper(self) -> bytes:
        return self.secrets["pepper"].encode()

    def _secret(self, name: str, stored: str) -> str:
        given = self.text(name)
        if not given and self.environment == "production":
            raise SettingsError(f"{name} must be set in production.")
        return given or self.secrets[stored]

    # --- the database ---

    @cached_property
    def role(self) -> str:
        value = self.text("ALERTCENTER_DB_ROLE", "app")
        if value not in ROLES:
            raise SettingsError(
                f"ALERTCENTER_DB_ROLE must be one of {', '.join(ROLES)}, not {value!r}."
            )
        return value

    @cached_property
    def database_url(self) -> str:
        return self.text("DATABASE_URL") or self.text("POSTGRES_URL")

    @property
    def embeds_postgres(self) -> bool:
        return not self.database_url

    @property
    def has_role_urls(self) -> bool:
        """Whether the operator made the three logins himself."""
        return bool(
            self.text("ALERTCENTER_DATABASE_ENGINE_URL")
            and self.text("ALERTCENTER_DATABASE_OWNER_URL")
        )

    def database(self, role: str | None = None) -> dict[str, Any]:
        """Return Django's connection settings for `role` (app, engine or owner)."""
        role = role or self.role
        if self.embeds_postgres:
            return self._connection(
                host=str(self.run),
                port="5432",
                name=DATABASE_NAME,
                user=f"ac_{role}",
                password=self.secrets[f"db_{role}"],
            )
        if self.has_role_urls:
            variable = {
                "app": "DATABASE_URL",
                "engine": "ALERTCENTER_DATABASE_ENGINE_URL",
                "owner": "ALERTCENTER_DATABASE_OWNER_URL",
            }[role]
            url = self.database_url if role == "app" else self.text(variable)
            return self._connection(**parse_database_url(url, variable))
        parts = parse_database_url(self.database_url, "DATABASE_URL")
        parts |= {"user": f"ac_{role}", "password": self.secrets[f"db_{role}"]}
        return self._connection(**parts)

    def _connection(self, **parts: Any) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": parts["host"],
            "PORT": parts["port"],
            "NAME": parts["name"],
            "USER": parts["user"],
            "PASSWORD": parts["password"],
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "connect_timeout": 5,
                "application_name": f"alertcenter-{self.text('AC_PROCESS', 'manage')}",
            }
            | parts.get("options", {}),
        }

    # --- Redis ---

    @cached_property
    def given_redis_url(self) -> str:
        return self.text("REDIS_URL")

    @property
    def embeds_redis(self) -> bool:
        return not self.given_redis_url

    @cached_property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @cached_property
    def redis_url(self) -> str:
        """The URL for redis-py."""
        if self.embeds_redis:
            return f"unix://{self.redis_socket}?db=0"
        if urlsplit(self.given_redis_url).scheme not in ("redis", "rediss", "unix"):
            raise SettingsError(
                "REDIS_URL must start with redis://, rediss:// or unix://."
            )
        return self.given_redis_url

    @property
    def broker_url(self) -> str:
        """The URL for kombu, which names a unix socket in its own way."""
        if not self.redis_url.startswith("unix://"):
            return self.redis_url
        path = urlsplit(self.redis_url).path
        return f"redis+socket://{path}?virtual_host=1"

    # --- the network ---

    @cached_property
    def trusted_proxies(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        return self._networks("ALERTCENTER_TRUSTED_PROXIES")

    @cached_property
    def outbound_allow(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Networks inside that tenants' webhooks may reach."""
        return self._networks("ALERTCENTER_OUTBOUND_ALLOW")

    @cached_property
    def push_allow(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Networks inside that browsers' push services may be in."""
        return self._networks("ALERTCENTER_PUSH_ALLOW")

    def names(self, variable: str) -> list[str]:
        """Return the words of a list, which commas or blanks part."""
        return self.text(variable).replace(",", " ").split()

    def _networks(
        self, variable: str
    ) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        try:
            return [ipaddress.ip_network(name) for name in self.names(variable)]
        except ValueError as error:
            raise SettingsError(
                f"{variable} must be networks such as 10.0.0.0/8: {error}."
            ) from error


def parse_database_url(url: str, variable: str) -> dict[str, Any]:
    """Split `postgres://user:password@host:port/name?option=value`.

    Raises SettingsError, which never repeats the password.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in POSTGRES_SCHEMES or not name:
        raise SettingsError(
            f"{variable} must look like postgres://user:password@host:5432/name."
        )
    try:
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"{variable} has a port that is no number.") from error
    options = dict(parse_qsl(parts.query))
    return {
        "host": options.pop("host", unquote(parts.hostname or "")),
        "port": str(port or ""),
        "name": name,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "options": options,
    }


@lru_cache(maxsize=1)
def read() -> Env:
    """Return the settings of this process."""
    values = read_dotenv(ROOT / ".env") | dict(os.environ)
    return Env(values)
