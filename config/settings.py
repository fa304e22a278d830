"""Settings. Every value that an installation may change comes from the environment (see .env.example)."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# ENV_FILE (from the process environment only) names another file than .env; the tests use none.
env.read_env(os.environ.get("ENV_FILE") or BASE_DIR / ".env")

# Everything that is written while Signalbox runs: SQLite's database, uploads, its own Redis.
VAR_DIR = BASE_DIR / str(env.str("VAR_DIR", default="var"))

# --- What kind of installation this is -------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
# No default outside DEBUG: a guessable key would let anyone forge sessions.
SECRET_KEY = env.str("SECRET_KEY", default="development-only-" + "insecure" * 6 if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. An installation needs a long random one, in the environment or in .env "
        "(python -c 'import secrets; print(secrets.token_urlsafe(50))' makes one). "
        "On a development machine DEBUG=true is enough; `make run` sets it by itself."
    )
# Long random texts that encrypt the secrets of webhooks: the first one encrypts, all of them decrypt. Without any,
# SECRET_KEY does. `manage.py rotate_secret_keys` encrypts everything with the first.
SECRETS_KEYS = env.list("SECRETS_KEYS", default=[])
if any(len(key) < 32 for key in SECRETS_KEYS):
    raise ImproperlyConfigured("Each of SECRETS_KEYS needs 32 random characters or more.")
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
# `make run` and gunicorn start so many: two processes of eight threads use two cores, and threads mostly wait.
WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=16)
WORKERS = env.int("WORKERS", default=1)
# Where people and other systems reach this installation; links in mails and the inspector use it.
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
DEMO_PASSWORD = env.str("DEMO_PASSWORD", default="demo")

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or "localhost"],
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Applications ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    # Its pages are registered with the addresses (config.urls): workers need neither, and some 15 MB less.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_rq",
    "config",
    "records",
    "webhooks",
    "automations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "records.actors.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.headers.content_security_policy",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "records.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# --- The database: the truth -----------------------------------------------------------------

DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'signalbox.sqlite3'}")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    _database["OPTIONS"] = {
        # A transaction that will write takes the write lock at once instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # WAL lets readers go on while one writes; NORMAL survives the death of any process.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
    }
elif _database["ENGINE"].endswith("postgresql"):
    _given = _database.get("OPTIONS", {})
    # A machine that is lost in the middle of a transaction must not keep its locks: the server ends what has been
    # silent in one for so long, and both sides notice within half a minute that the other is gone. What
    # DATABASE_URL says itself comes last, and so wins.
    _session = {
        "idle_in_transaction_session_timeout": "30s",
        "tcp_keepalives_idle": 10,
        "tcp_keepalives_interval": 5,
        "tcp_keepalives_count": 3,
    }
    _database["OPTIONS"] = {
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        **_given,
        "options": " ".join(
            [*(f"-c {name}={value}" for name, value in _session.items()), _given.get("options", "")]
        ).strip(),
    }
# A connection is kept for so long; one that the database has dropped meanwhile is noticed before it is used.
_database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE_S", default=600)
_database["CONN_HEALTH_CHECKS"] = True

# --- Redis: the doorbell ---------------------------------------------------------------------


def _own_redis_socket() -> Path:
    """The socket of the Redis that `make run` starts; a Unix socket's path has at most 107 bytes."""
    socket = VAR_DIR / "redis.sock"
    if len(str(socket).encode()) <= 100:
        return socket
    digest = hashlib.sha256(str(VAR_DIR).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"signalbox-{digest}.sock"


REDIS_SOCKET = _own_redis_socket()
REDIS_URL = env.str("REDIS_URL", default=f"unix://{REDIS_SOCKET}")

RQ_QUEUES = {
    name: {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer", "DEFAULT_TIMEOUT": 120}
    for name in ("events", "runs", "deliveries", "timers", "chores")
}
# Its pages are under System, for superusers (config.urls); the admin would give them to all staff.
RQ_SHOW_ADMIN_LINK = False
RQ = {"WORKER_CLASS": "config.worker.Worker", "COMMIT_MODE": "auto", "DEFAULT_RESULT_TTL": 0}

# --- Sending ---------------------------------------------------------------------------------

# Requests in the air at once, for one worker process and for one destination of it.
DELIVERY_CONCURRENCY = env.int("DELIVERY_CONCURRENCY", default=192)
DELIVERY_CONCURRENCY_PER_DESTINATION = env.int("DELIVERY_CONCURRENCY_PER_DESTINATION", default=96)
# A destination with nothing but failures for so long is disabled until a person enables it again.
DESTINATION_DISABLE_AFTER_DAYS = env.float("DESTINATION_DISABLE_AFTER_DAYS", default=5.0)
# Who gets the mails about failures: superusers with an address, and these addresses.
FAILURE_DIGEST = env.bool("FAILURE_DIGEST", default=True)
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
OUTBOUND_ALLOWED_NETWORKS = env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])
OUTBOUND_PROXY = env.str("OUTBOUND_PROXY", default="")

# --- Keeping: days until something is cleaned up; 0 keeps it for ever ---------------------------

RETENTION_SUCCEEDED_DAYS = env.int("RETENTION_SUCCEEDED_DAYS", default=30)
RETENTION_FAILED_DAYS = env.int("RETENTION_FAILED_DAYS", default=90)
RETENTION_BODIES_DAYS = env.int("RETENTION_BODIES_DAYS", default=14)
RETENTION_INBOUND_DAYS = env.int("RETENTION_INBOUND_DAYS", default=30)
RETENTION_EVENTS_DAYS = env.int("RETENTION_EVENTS_DAYS", default=400)
RETENTION_MESSAGES_DAYS = env.int("RETENTION_MESSAGES_DAYS", default=90)
RETENTION_RUNS_SUCCEEDED_DAYS = env.int("RETENTION_RUNS_SUCCEEDED_DAYS", default=30)
RETENTION_RUNS_FAILED_DAYS = env.int("RETENTION_RUNS_FAILED_DAYS", default=90)
# Of each automation.
RETENTION_RUNS_NOT_FIRED = env.int("RETENTION_RUNS_NOT_FIRED", default=50)

# --- Pages, files, languages -----------------------------------------------------------------

STATIC_URL = "static/"
# In DEBUG the files are served from where they are written, with no collectstatic in between.
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = BASE_DIR / str(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
# For each step of the talk with a mail server: one that hangs must not keep a worker for ever.
EMAIL_TIMEOUT = 10
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="signalbox@localhost")

# --- Security --------------------------------------------------------------------------------

SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not DEBUG:
    # Behind a proxy that ends TLS; HTTPS_ONLY=false is for a private network without TLS.
    HTTPS_ONLY = env.bool("HTTPS_ONLY", default=True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
    SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    if env.bool("BEHIND_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
            "datefmt": "%H:%M:%S",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "rq": {"level": "WARNING"},
        "rq.worker": {"level": "WARNING"},
        # It tells of hosts and paths, which may be secrets; what matters of them is in the request log.
        "urllib3": {"level": "ERROR"},
    },
}

from config.look import SITE_NAME, UNFOLD  # noqa: E402, F401  (the admin's look, a room of its own)
