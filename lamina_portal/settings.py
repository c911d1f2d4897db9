"""The portal's settings, read once from the environment, with working defaults.

README.md lists every setting, and a test checks that list. The `.env` file next to manage.py is also read, except in
tests.
"""

import os
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.contrib.messages import constants as message_levels
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from environs import Env, validate

from lamina_portal import environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
if not os.environ.get("PORTAL_TESTING"):
    env.read_env(str(BASE_DIR / ".env"), recurse=False)

# --- Lamina -----------------------------------------------------------------------------------------------------------
LAMINA_API_KEY = environment.api_key(env)
IS_SANDBOX = not LAMINA_API_KEY
SANDBOX_URL = "http://127.0.0.1:8900"
SANDBOX_KEY = "lma_sandbox"
LAMINA_BASE_URL = (
    env.str("LAMINA_BASE_URL", "") or (SANDBOX_URL if IS_SANDBOX else "https://app.uselamina.ai")
).rstrip("/")
LAMINA_REQUESTS_PER_MINUTE = env.int("LAMINA_REQUESTS_PER_MINUTE", 100, validate=validate.Range(min=10))
LAMINA_POLL_SECONDS = env.float("LAMINA_POLL_SECONDS", 3.0, validate=validate.Range(min=0.1))
LAMINA_STREAMS = env.int("LAMINA_STREAMS", 40, validate=validate.Range(min=0, max=500))
LAMINA_WEBHOOKS = env.str("LAMINA_WEBHOOKS", "auto")
if LAMINA_WEBHOOKS not in {"auto", "on", "off"}:
    raise ImproperlyConfigured("LAMINA_WEBHOOKS must be auto, on or off")

# --- The portal -------------------------------------------------------------------------------------------------------
PORTAL_BIND = env.str("PORTAL_BIND", "") or "127.0.0.1:8000"
PORTAL_URL = (env.str("PORTAL_URL", "") or environment.address_of(PORTAL_BIND)).rstrip("/")
PORTAL_TRUSTED_PROXIES = environment.networks("PORTAL_TRUSTED_PROXIES", env.list("PORTAL_TRUSTED_PROXIES", []))
_file_origins: list[str] = env.list("PORTAL_FILE_ORIGINS", [])
PORTAL_FILE_ORIGINS = [environment.origin("PORTAL_FILE_ORIGINS", url) for url in _file_origins]
_lamina_origin = environment.origin("LAMINA_BASE_URL", LAMINA_BASE_URL, is_bare=False)
TRUSTED_FILE_ORIGINS = [_lamina_origin, *PORTAL_FILE_ORIGINS]
_chat_origins: list[str] = env.list("PORTAL_CHAT_ORIGINS", [])
PORTAL_CHAT_ORIGINS = [environment.origin("PORTAL_CHAT_ORIGINS", url) for url in _chat_origins]

DEBUG = env.bool("PORTAL_DEBUG", False)
# The sandbox has its own data folder, so that History starts out empty once someone adds a workspace key.
DATA_DIR = environment.data_folder(env.str("PORTAL_DATA_DIR", ""), BASE_DIR / "var")
if IS_SANDBOX:
    DATA_DIR = environment.data_folder(str(DATA_DIR / "sandbox"), DATA_DIR)
_secret_key = env.str("PORTAL_SECRET_KEY", "")
SECRET_KEY = (
    environment.strong_key("PORTAL_SECRET_KEY", _secret_key) if _secret_key else environment.stored_secret_key(DATA_DIR)
)
SECRET_KEY_FALLBACKS = environment.old_keys(env)
_portal_host = environment.host_of(PORTAL_URL)
ALLOWED_HOSTS: list[str] = env.list("PORTAL_ALLOWED_HOSTS", [_portal_host, "127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]

INSTALLED_APPS = [
    "runs",  # comes first, because its commands replace Django's of the same name
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",  # templates for the standard form fields
    "django_htmx",
    "django_q",
]
MIDDLEWARE = [
    "runs.web.middleware.TrustedProxyMiddleware",
    # Comes before everything that only pages need, because a first visit loads seven static files.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "runs.web.language.BrowserLanguageMiddleware",  # comes before anything that may return a page
    "runs.web.body_limits.BodyLimitMiddleware",  # comes before the CSRF check, which reads the body
    # These four add headers to every response, so they come before anything that may refuse a request
    "runs.web.middleware.HeadersMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "runs.web.middleware.RefuseNulMiddleware",
    "runs.web.session_lifetime.PortalSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "runs.web.middleware.StorablePostMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "runs.audit.middleware.ActorMiddleware",  # comes before anything that makes changes
    "runs.web.demo_accounts.DemoPeopleMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Comes before anything that loads the user, because loading the user may give the session a new key
    "runs.team.middleware.SeenMiddleware",
    "runs.web.language.MemberLanguageMiddleware",
    "runs.web.time_zone.ZoneMiddleware",
    "runs.team.middleware.HtmxLoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "runs.notices.middleware.OpenedMiddleware",
    "runs.web.middleware.SpeculationRulesMiddleware",
    "runs.web.body_limits.StoppedUploadMiddleware",  # comes last, so that all the others see its response
]
ROOT_URLCONF = "lamina_portal.urls"
WSGI_APPLICATION = "lamina_portal.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "runs.web.http.portal_context",
                "runs.display.bell.bell_context",
                "runs.spending.own_month.own_limit_context",
                "runs.display.review_count.review_context",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.l10n",
                "django_htmx.templatetags.django_htmx",
                "runs.templatetags.cards",
                "runs.templatetags.icons",
                "runs.templatetags.bar",
                "runs.templatetags.limits",
                "runs.templatetags.lists",
                "runs.templatetags.highlights",
                "runs.templatetags.moments",
                "runs.templatetags.pictures",
                "runs.templatetags.rules",
                "runs.templatetags.sentences",
                "runs.templatetags.support",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data -------------------------------------------------------------------------------------------------------------
DATABASES = {"default": environment.database(env, DATA_DIR)}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Used by the tag `cache`. A menu of a run's card takes about 4 kB.
    "template_fragments": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "template_fragments",
        "OPTIONS": {"MAX_ENTRIES": 1_000},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", "")
MAILERS = environment.mailers(env)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.mail_sender(env, _portal_host)
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, Any] = {
    "default": environment.storage(env.str("STORAGE_URL", "")),
    "staticfiles": {"BACKEND": "lamina_portal.static_files.PortalStaticFilesStorage"},
}
PORTAL_ACCEL_PREFIX = environment.accel_prefix(
    env.str("PORTAL_ACCEL_PREFIX", ""), is_local=not env.str("STORAGE_URL", "")
)
MIMETYPES = {".speculationrules": "application/speculationrules+json"}


def _add_static_headers(headers: Headers, _path: str, _url: str) -> None:
    """Add the only page header that also matters for static files."""
    headers["X-Content-Type-Options"] = "nosniff"


WHITENOISE_MIMETYPES = MIMETYPES
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = _add_static_headers
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000  # in bytes, for a form's fields, not counting files; enough for long text
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_HANDLERS = ["runs.uploads.upload_handler.WaitingRoomUploadHandler"]
MAX_BODY_BYTES = 1_100_000_000  # in bytes, for one request; enough for a video of 1 GB and the rest of the form

# --- Background work --------------------------------------------------------------------------------------------------
Q_CLUSTER: dict[str, Any] = {
    "name": "portal",
    "workers": 11,  # one polls, up to eight do other long work, and the rest are always there for starts
    "timeout": 90,
    "retry": 3600,
    "queue_limit": 10,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "poll": 0.2,
    "guard_cycle": 0.2,
    "save_limit": 100,
    "recycle": 1,
}
if REDIS_URL:
    Q_CLUSTER |= {"redis": REDIS_URL, "broker_class": "runs.background.redis_broker.RedisBroker"}
else:
    Q_CLUSTER |= {"orm": "default", "broker_class": "runs.background.broker.OrmBroker"}

# --- People and safety ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "runs.Member"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "runs:home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [{"NAME": "runs.team.password_rules.PasswordRules"}]
EXPIRED_FILES_KEEPER = "runs.launching.views_expired.keep_expired"
SESSION_ENGINE = "runs.web.session_lifetime"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30  # the longest a sign-in can last, even if the session is in constant use
PORTAL_SESSION_IDLE_DAYS = env.int("PORTAL_SESSION_IDLE_DAYS", 14, validate=validate.Range(min=1))
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "blob:"],
    "media-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
_is_https = PORTAL_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
COOKIE_PREFIX = "__Host-" if _is_https else ""  # other hosts in the domain can't set or see cookies with this prefix
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
MESSAGE_STORAGE = "runs.web.message_storage.MessageStorage"
MESSAGE_TAGS = {message_levels.SUCCESS: "good", message_levels.WARNING: "warn", message_levels.ERROR: "bad"}
SECURE_SSL_REDIRECT = _is_https
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
# These checks ask for HSTS on the whole domain, but that is for the domain's owner to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
# TrustedProxyMiddleware removes this header if it doesn't come from a proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

# --- Language, time, log ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each name in its own language, so that people recognize theirs
LOCALE_PATHS = [BASE_DIR / "runs/locale"]
USE_I18N = True
TIME_ZONE = env.str("PORTAL_TIME_ZONE", "UTC")
USE_TZ = True
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secret_paths": {"()": "lamina_portal.logs.MaskSecretPaths"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "message": {"format": "%(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secret_paths"]},
        "record": {"class": "logging.StreamHandler", "formatter": "message"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Without these two, Django's own handlers would log each line a second time, with secret paths unmasked
        "django": {"level": "INFO", "handlers": []},
        "django.server": {"level": "INFO", "handlers": [], "propagate": True},
        "runs": {"level": "INFO"},
        "lamina_portal": {"level": "INFO"},
        # Each entry in the audit record is logged as one line of JSON.
        "portal.audit": {"level": "INFO", "handlers": ["record"], "propagate": False},
        "urllib3": {"level": "WARNING"},  # lower levels log whole URLs, some of which are secret
    },
}
