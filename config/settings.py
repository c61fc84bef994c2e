"""Settings of the site: the only module that reads the environment."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import libraries

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = os.environ

# PROJ must never fetch grids by itself, GDAL never look into addresses (threats.md X-02).
ENV["PROJ_NETWORK"] = "OFF"
GDAL_LIBRARY_PATH = libraries.gdal_library()
GEOS_LIBRARY_PATH = libraries.geos_library()

ONEMAP_VAR = Path(ENV.get("ONEMAP_VAR", BASE_DIR / "var"))
DEBUG = ENV.get("ONEMAP_DEBUG", "") == "1"


def _json_file(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


SECRETS = _json_file(ONEMAP_VAR / "secrets.json")
SECRET_KEY = ENV.get("ONEMAP_SECRET_KEY") or SECRETS.get("secret_key", "")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        "no secret key: `make run` writes one to var/secrets.json, or set ONEMAP_SECRET_KEY (32 characters or more)"
    )


def _database() -> dict[str, Any]:
    """Where the database is: DATABASE_URL, else the private cluster that var/cluster names."""
    if url := ENV.get("DATABASE_URL"):
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return {
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": query.get("host", parts.hostname or ""),
            "PORT": str(parts.port or query.get("port", "")),
        }
    cluster = _json_file(ONEMAP_VAR / "cluster")
    if not cluster:
        raise ImproperlyConfigured("no database: run `make run` once, or set DATABASE_URL")
    role = "web" if ENV.get("ONEMAP_DB_ROLE") == "web" else "owner"
    return {
        "NAME": "onemap",
        "USER": f"onemap_{role}",
        "PASSWORD": SECRETS[f"{role}_password"],
        "HOST": cluster["socket"],
        "PORT": str(cluster["port"]),
    }


DATABASES = {
    "default": {
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # Keepalives tell a worker within half a minute that its database is gone.
        "OPTIONS": {
            "application_name": "onemap",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
        **_database(),
    }
}


def _render_database() -> dict[str, str]:
    """Where render processes look, as a login that only reads; with DATABASE_URL, ONEMAP_RENDER_URL may name it."""
    given = {name: DATABASES["default"][name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
    if url := ENV.get("ONEMAP_RENDER_URL"):
        parts = urlsplit(url)
        return {**given, "USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    if "DATABASE_URL" in ENV:
        return given
    return {**given, "USER": "onemap_render", "PASSWORD": SECRETS.get("render_password", "")}


ONEMAP_RENDER_DATABASE = _render_database()
ONEMAP_RENDER_PROCESSES = int(ENV.get("ONEMAP_RENDER_PROCESSES", os.cpu_count() or 1))  # of each web process
ONEMAP_DRAW_SECONDS = float(
    ENV.get("ONEMAP_DRAW_SECONDS", "20")
)  # that one picture may take, waiting included
_FONTS = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
ONEMAP_FONTS = [one for one in ENV.get("ONEMAP_FONTS", _FONTS).split(",") if Path(one).is_file()]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.gis",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "ninja",
    "accounts",
    "process",
    "layers",
    "tiles",
    "demo",
    "config",
]
MIDDLEWARE = [
    "config.errors.RequestIdMiddleware",
    "config.security.SecurityHeadersMiddleware",
    "config.cors.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.language.LanguageMiddleware",
    "config.errors.ErrorsMiddleware",
    "config.incoming.PlainBodyMiddleware",
    "config.incoming.StatementLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.security.IdleSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.PrincipalMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.language.language",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# A name is held per address, so that one office behind a shared address cannot lock itself out as a whole.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1 / 6  # hours
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "accounts.throttling.answer"
LOGIN_URL = "/"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

ONEMAP_ERROR_RENDERER = "config.errors.render"
ONEMAP_JOB_MODULES = [name for name in ENV.get("ONEMAP_JOB_MODULES", "").split(",") if name]
ONEMAP_FAIL_AT = ENV.get("FAIL_AT", "")
ONEMAP_JOB_MEMORY = int(ENV.get("ONEMAP_JOB_MEMORY", 4 * 2**30))  # bytes
ONEMAP_JOB_SECONDS = float(ENV.get("ONEMAP_JOB_SECONDS", 4 * 3600))
ONEMAP_UPLOAD_QUOTA = int(
    ENV.get("ONEMAP_UPLOAD_QUOTA", 40 * 2**30)
)  # bytes of one sender that wait to be used
ONEMAP_DISK_RESERVE = float(ENV.get("ONEMAP_DISK_RESERVE", "0.15"))  # share of the disk kept for the database

# Places of one web process for large answers, for pictures and for bodies; one caller takes half of them
# (docs/decisions/0020).
ONEMAP_HEAVY_PLACES = int(ENV.get("ONEMAP_HEAVY_PLACES", max(4, os.cpu_count() or 1)))
ONEMAP_DRAWING_PLACES = int(ENV.get("ONEMAP_DRAWING_PLACES", "20"))  # requests that may wait to be drawn
ONEMAP_BODY_PLACES = int(ENV.get("ONEMAP_BODY_PLACES", "24"))
ONEMAP_BUSY_RETRY_S = int(ENV.get("ONEMAP_BUSY_RETRY_S", "2"))
ONEMAP_STALLED_S = int(ENV.get("ONEMAP_STALLED_S", "60"))  # a reader that takes nothing for so long is let go

ONEMAP_PUBLIC_URL = ENV.get("ONEMAP_PUBLIC_URL", "").rstrip("/")
ALLOWED_HOSTS = [
    host for host in ENV.get("ONEMAP_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if host
]
CSRF_TRUSTED_ORIGINS = [ONEMAP_PUBLIC_URL] if ONEMAP_PUBLIC_URL else []
SESSION_COOKIE_SAMESITE = "Lax"
# Thirty idle minutes end a session (threats.md A-02).
SESSION_COOKIE_AGE = 30 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ONEMAP_PUBLIC_URL.startswith("https:")
# Browsers that met the site over TLS come back over TLS alone; nginx sends the others there (deploy/nginx.conf).
SECURE_HSTS_SECONDS = 365 * 86400 if SESSION_COOKIE_SECURE else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # config.security sets X-Frame-Options on every answer, tiles included
    "security.W005",  # the city's other hosts are not ours to bind
    "security.W008",  # nginx redirects
    "security.W021",  # and no browser's list needs to carry us
]
# Pages of these sites may read /tiles/ and /ogc/ with a key: "https://plan.example.gov.cn".
ONEMAP_CORS_ORIGINS = [one for one in ENV.get("ONEMAP_CORS_ORIGINS", "").split(",") if one]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
APPEND_SLASH = False

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
CLIENT_DIST = BASE_DIR / "client" / "dist"
STATICFILES_DIRS = [("client", CLIENT_DIST)] if CLIENT_DIST.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_KEEP_ONLY_HASHED_FILES = False

# The city.
ONEMAP_SRID = int(ENV.get("ONEMAP_SRID", "4547"))
ONEMAP_GRID_ORIGIN = tuple(float(part) for part in ENV.get("ONEMAP_GRID_ORIGIN", "400000,2640000").split(","))
ONEMAP_GRID_SIZE = float(ENV.get("ONEMAP_GRID_SIZE", "293601.28"))
ONEMAP_GRID_LEVELS = int(ENV.get("ONEMAP_GRID_LEVELS", "14"))
ONEMAP_OUTPUT_CRS = [int(code) for code in ENV.get("ONEMAP_OUTPUT_CRS", "").split(",") if code]
# Transformations that only the city may supply: {"2383->4547": "+proj=pipeline …"}.
ONEMAP_CRS_PARAMETERS: dict[str, str] = json.loads(ENV.get("ONEMAP_CRS_PARAMETERS", "{}"))
# Commands for closed formats: {".dwg": ["dwg2dxf", "-o", "{output}", "{input}"]}.
ONEMAP_CONVERTERS: dict[str, list[str]] = json.loads(ENV.get("ONEMAP_CONVERTERS", "{}"))
# Where scheduled pulls may look. Folders by name: {"survey": "/srv/survey"}; databases by name:
# {"cadastre": "host=… dbname=… user=…"}; hosts as process.fetching.HostRule reads them:
# "data.gov.cn,gis.lan:8080=private,10.1.2.3:8080=10.1.0.0/16".
ONEMAP_PULL_FOLDERS: dict[str, str] = json.loads(ENV.get("ONEMAP_PULL_FOLDERS", "{}"))
ONEMAP_PULL_DATABASES: dict[str, str] = json.loads(ENV.get("ONEMAP_PULL_DATABASES", "{}"))
ONEMAP_PULL_HOSTS = [rule for rule in ENV.get("ONEMAP_PULL_HOSTS", "").split(",") if rule.strip()]
ONEMAP_PULL_BYTES = int(ENV.get("ONEMAP_PULL_BYTES", 2 * 10**9))
ONEMAP_PULL_SECONDS = float(ENV.get("ONEMAP_PULL_SECONDS", 1800))
ONEMAP_CITY_ZH = ENV.get("ONEMAP_CITY_ZH", "深圳市")
ONEMAP_CITY_EN = ENV.get("ONEMAP_CITY_EN", "Shenzhen")
ONEMAP_DEMO_PASSWORD = ENV.get("ONEMAP_DEMO_PASSWORD") or SECRETS.get("demo_password", "")


def _outline() -> list[list[float]]:
    """The city's coarse outline as a ring of longitude, latitude (degrees)."""
    given = ENV.get("ONEMAP_CITY_OUTLINE", "")
    text = (
        given
        if given.lstrip().startswith("{")
        else Path(given or BASE_DIR / "config" / "city_outline.json").read_text("utf-8")
    )
    ring: list[list[float]] = json.loads(text)["coordinates"][0]
    return ring


ONEMAP_CITY_OUTLINE = _outline()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "onemap": {"level": "INFO"},
        # Refusals are answers, not events for an operator.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "axes": {"level": "ERROR"},
    },
}
