from django.apps import AppConfig


class DocmsConfig(AppConfig):
    name = "docms"
