"""Tests: real PostgreSQL and Redis, fast password hashing, no simulation."""

from alertcenter.settings.base import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
