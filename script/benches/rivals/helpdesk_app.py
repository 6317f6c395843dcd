"""django-helpdesk at the root of its server, as it comes."""

from django.urls import include, path

urlpatterns = [path("", include("helpdesk.urls"))]
