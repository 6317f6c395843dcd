"""Settings, URLs, the Celery application and what spans all floors."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
