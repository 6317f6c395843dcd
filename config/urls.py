"""All doors. Each floor brings its own routing module."""

import importlib.util

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/app/")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
# While the house is being built: doors appear as their modules do.
for prefix, module in (("app/", "portal.urls"), ("docms/api/v1/", "docms.api.urls"), ("api/", "config.schema_urls")):
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found:
        urlpatterns.append(path(prefix, include(module)))
if importlib.util.find_spec("config.admin_site"):
    from config.admin_site import site

    urlpatterns.append(path("admin/", site.urls))
