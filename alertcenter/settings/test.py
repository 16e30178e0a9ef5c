"""Tests: real PostgreSQL and Redis, fast password hashing, no simulation."""

from alertcenter.settings.base import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Tests change logins and empty tables between connections.
DATABASES["default"]["CONN_MAX_AGE"] = 0
