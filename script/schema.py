"""Whether the database's schema, or a static file, may have changed since somebody looked."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def schema_digest() -> str:
    """Changes with whatever a migration leans on: the migrations, what they import, the packages' versions."""
    digest = hashlib.sha256()
    leans_on = [
        ROOT / "core" / f"{name}.py" for name in ("apps", "expressions", "fields", "tenant_keys", "tenant_policies")
    ]
    for path in sorted([*ROOT.glob("*/migrations/*.py"), *leans_on, ROOT / "requirements.txt"]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def static_digest() -> str:
    """Changes with our own static files and with the packages that bring some."""
    digest = hashlib.sha256()
    ours = [path for path in (ROOT / "static").rglob("*") if path.is_file()]
    for path in sorted([*ours, ROOT / "requirements.txt", ROOT / "config" / "settings" / "tryout.py"]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
