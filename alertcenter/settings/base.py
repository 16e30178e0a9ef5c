"""Settings shared by every environment."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from alertcenter.settings.env import ROOT, read

env = read()

ENVIRONMENT = env.environment
HOME = env.home
SECRET_KEY = env.secret_key
KEK = env.kek  # 32 bytes: wraps every tenant's data key
PEPPER = env.pepper  # keys the hashes of API keys
DEBUG = False
ALLOWED_HOSTS = env.text("ALERTCENTER_ALLOWED_HOSTS", "*").replace(",", " ").split()
BASE_URL = env.base_url
PORT = env.port
SIMULATION = env.simulation
DELIVERY_PACE = env.delivery_pace
TRUSTED_PROXIES = env.trusted_proxies
OUTBOUND_ALLOW = env.outbound_allow
PUSH_ALLOW = env.push_allow
APPRISE_SCHEMES = env.names("ALERTCENTER_APPRISE_SCHEMES")
# Called by each clean pass of the auditor: its absence is the alarm.
HEARTBEAT_URL = env.address("ALERTCENTER_HEARTBEAT_URL")
METRICS_TOKEN = env.text("ALERTCENTER_METRICS_TOKEN")
# Days for which rows are kept; tenants may have terms of their own.
RETENTION_DAYS = {
    "history": env.number("ALERTCENTER_RETENTION_HISTORY_DAYS", 400, 1, 3650),
    "closed": env.number("ALERTCENTER_RETENTION_CLOSED_DAYS", 400, 1, 3650),
    "raw": env.number("ALERTCENTER_RETENTION_RAW_DAYS", 7, 1, 3650),
}
# Events a second that are taken, 0 for no limit; tenants may have limits of their own.
EVENTS_PER_SECOND = {
    "tenant": env.number("ALERTCENTER_EVENTS_PER_SECOND", 20_000, 0, 1_000_000),
    "key": env.number("ALERTCENTER_KEY_EVENTS_PER_SECOND", 0, 0, 1_000_000),
    "address": env.number("ALERTCENTER_ADDRESS_EVENTS_PER_SECOND", 0, 0, 1_000_000),
}
WEB_CONCURRENCY = env.web_concurrency

INSTALLED_APPS = [
    "modeltranslation",  # before the admin, which it extends
    "alertcenter.admin_site.AlertCenterAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_prometheus",
    "tenants",
    "alertcenter.alerts",
    "notifications",
    "escalation",
    "alertcenter.dashboard",
    "alertcenter.api",
    "alertcenter",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "alertcenter.middleware.CorrelationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "alertcenter.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "alertcenter.middleware.MemberLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "alertcenter.urls"
ASGI_APPLICATION = "alertcenter.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "alertcenter.middleware.page_context",
            ]
        },
    }
]

# --- storage ---
# The web's threads keep their connections; making one takes longer than most pages.
DATABASES = {"default": env.database() | {"CONN_MAX_AGE": 60}}
REDIS_URL = env.redis_url
CACHES = {
    "default": {
        "BACKEND": "alertcenter.common.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "ac",
        "OPTIONS": {
            "socket_timeout": 0.25,
            "socket_connect_timeout": 0.25,
            "serializer": "alertcenter.common.cache.Json",
        },
    }
}
# The database is the truth: Redis may vanish without logging anybody out.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_SAMESITE = "Lax"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- languages ---
LANGUAGE_CODE = "en"
# The interface is complete in these; content may be written in all of
# CONTENT_LANGUAGES.
LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch")]
CONTENT_LANGUAGES = [
    *("en", "fr", "de", "es", "it", "pt-br", "nl", "pl", "ru"),
    *("uk", "tr", "ar", "he", "hi", "zh-hans", "ja", "ko"),
]
MODELTRANSLATION_LANGUAGES = tuple(CONTENT_LANGUAGES)
MODELTRANSLATION_DEFAULT_LANGUAGE = "en"
MODELTRANSLATION_FALLBACK_LANGUAGES = ("en",)
# modeltranslation would load jQuery UI from a CDN, which neither the policy
# nor an offline machine allows (its setting has no prefix).
JQUERY_UI_URL = "admin/alertcenter/tabs.js"
JQUERY_URL = "admin/js/vendor/jquery/jquery.min.js"
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
SITE_TITLE = _("AlertCenter")

# --- static files ---
STATIC_URL = "/static/"
STATIC_ROOT = env.home / "static"
STATICFILES_DIRS = [ROOT / "alertcenter" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
# Browsers ask again each time: modules of two versions must never meet in one page.
WHITENOISE_MAX_AGE = 0

# --- Celery: a pool of hands, never the truth ---
CELERY_BROKER_URL = env.broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 30
CELERY_TASK_TIME_LIMIT = 60
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Housekeeping only; beat writes these into its tables, where operators see them.
CELERY_BEAT_SCHEDULE = {
    "send what a lost nudge left": {"task": "notifications.sweep", "schedule": 5.0},
    # Hourly, as beat counts anew from each start of its own.
    "make next months' partitions": {
        "task": "notifications.ensure_partitions",
        "schedule": 3600.0,
    },
    "let old rows go": {"task": "tenants.retention", "schedule": 3600.0},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "retry_policy": {"timeout": 1.0},
}
CELERY_TASK_PUBLISH_RETRY = False

# --- REST ---
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "alertcenter.api.auth.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",  # members' browsers
    ],
    "DEFAULT_PERMISSION_CLASSES": ["alertcenter.api.auth.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["alertcenter.api.parsers.CarefulJSON"],
    "EXCEPTION_HANDLER": "alertcenter.api.errors.handle",
    "DEFAULT_PAGINATION_CLASS": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AlertCenter",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/t/{slug}/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "AlertState": ["firing", "resolved"],
        "GroupState": ["firing", "acknowledged", "snoozed", "resolved"],
        "Severity": ["debug", "info", "warning", "error", "critical"],
        "HeartbeatState": "alertcenter.alerts.models.heartbeat.HeartbeatState.values",
        "SilenceKind": "alertcenter.alerts.models.silence.SilenceKind.values",
        "Weekday": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "OverrideKind": "escalation.models.changes.OverrideKind.values",
        "DeliveryState": "notifications.models.delivery.DeliveryState.values",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- channels out ---
SLACK_BOT_TOKEN = env.text("SLACK_BOT_TOKEN")
SLACK_SIGNING_SECRET = env.text("SLACK_SIGNING_SECRET")
SLACK_CLIENT_ID = env.text("SLACK_CLIENT_ID")
SLACK_CLIENT_SECRET = env.text("SLACK_CLIENT_SECRET")
SLACK_WEBHOOK_URL = env.text("SLACK_WEBHOOK_URL")
EMAIL_URL = env.text("ALERTCENTER_EMAIL_URL")  # smtp://user:password@host:587
EMAIL_FROM = env.text("ALERTCENTER_EMAIL_FROM", "AlertCenter <alerts@localhost>")

LOGGING_CONFIG = None  # alertcenter.common.logs configures it, in JSON
