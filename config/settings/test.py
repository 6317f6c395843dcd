"""The test session: real servers started by `tests/conftest.py`, fast password hashes, fixed keys."""

from config.settings.base import *

SECRET_KEY = "test-only-" + "x" * 50
FIELD_ENCRYPTION_KEYS = ["3Oq0TN0CDkDxLjzBNTXHLuCXHnyEw1VU3W-MzzO8UTg="]
AUDIT_KEY = "test-only-" + "y" * 40
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PUBLIC_URL = env.origin("PUBLIC_URL", default="https://quartier.test")  # a worker of its own gets the live server's
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
ORGS_RATE_LIMIT = 0
SUPPORT_RATE_LIMIT = 0
OAUTH_RATE_LIMIT = 0
DOCMS_RATE_LIMIT = 0  # tests ask faster than people; the test of the limit sets one
