"""The documents of the APIs, and two ways to look at them. Included under ``/api/``."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from config.openapi import DOORS, as_yaml, document
from core.middleware import own_transactions

YAML_TYPE = "application/vnd.oai.openapi"


def _known(name: str) -> None:
    if name not in DOORS:
        raise Http404


@own_transactions
@require_safe
def schema(request: HttpRequest, name: str) -> HttpResponse:
    """The document: YAML, or JSON for ``?format=json`` and clients that accept only JSON."""
    _known(name)
    accepts = request.headers.get("Accept", "")
    if request.GET.get("format") == "json" or ("json" in accepts and "*/*" not in accepts):
        return JsonResponse(document(name), json_dumps_params={"ensure_ascii": False})
    response = HttpResponse(as_yaml(name), content_type=f"{YAML_TYPE}; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{name}.yaml"'
    return response


_SWAGGER = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="{icon}"><link rel="stylesheet" href="{css}"></head>
<body><div id="swagger-ui"></div><script src="{bundle}"></script>
<script nonce="{nonce}">SwaggerUIBundle({{url: "{url}", dom_id: "#swagger-ui", deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis]}});</script></body></html>"""
_REDOC = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="{icon}"><style>body {{ margin: 0 }}</style></head>
<body><redoc spec-url="{url}"></redoc><script src="{bundle}"></script></body></html>"""


def _page(request: HttpRequest, name: str, page: str, **assets: str) -> HttpResponse:
    _known(name)
    addresses = {key: static(f"drf_spectacular_sidecar/{value}") for key, value in assets.items()}
    nonce = request.csp_nonce if "{nonce}" in page else ""  # type: ignore[attr-defined]
    title, url = DOORS[name].title, reverse("schema", args=[name])
    return HttpResponse(format_html(page, title=title, url=url, nonce=nonce, **addresses))


_ICON = "swagger-ui-dist/favicon-32x32.png"
# Both viewers write styles into the page; scripts stay ours alone.
_STYLES = {"style-src": [SELF, UNSAFE_INLINE]}


@own_transactions
@csp_replace(_STYLES)  # type: ignore[arg-type]  # its stub knows views without arguments only
@require_safe
def swagger(request: HttpRequest, name: str) -> HttpResponse:
    """Swagger UI."""
    return _page(
        request,
        name,
        _SWAGGER,
        css="swagger-ui-dist/swagger-ui.css",
        bundle="swagger-ui-dist/swagger-ui-bundle.js",
        icon=_ICON,
    )


@own_transactions
@csp_replace({**_STYLES, "worker-src": ["blob:"]})  # type: ignore[arg-type]
@require_safe
def redoc(request: HttpRequest, name: str) -> HttpResponse:
    """ReDoc."""
    return _page(request, name, _REDOC, bundle="redoc/bundles/redoc.standalone.js", icon=_ICON)


urlpatterns = [
    path("schema/<slug:name>/", schema, name="schema"),
    path("docs/<slug:name>/", swagger, name="schema-swagger"),
    path("docs/<slug:name>/redoc/", redoc, name="schema-redoc"),
]
