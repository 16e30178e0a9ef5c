"""Production: TLS assumed in front, secrets required, cookies locked down."""

from alertcenter.settings.base import *
from alertcenter.settings.env import SettingsError

if "*" in ALLOWED_HOSTS:
    raise SettingsError(
        "ALERTCENTER_ALLOWED_HOSTS must list this service's host names in production."
    )

if SIMULATION and ENVIRONMENT == "production":
    # Its secrets can be computed, and nobody would be paged.
    raise SettingsError("ALERTCENTER_SIMULATION must not be 1 in production.")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("ALERTCENTER_TLS", True)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
