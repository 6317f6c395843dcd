"""How big a file is, in templates."""

from __future__ import annotations

from django import template

from core import sizes

register = template.Library()
register.filter("size", sizes.readable)
