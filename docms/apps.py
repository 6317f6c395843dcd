from django.apps import AppConfig


class DocmsConfig(AppConfig):
    name = "docms"

    def ready(self) -> None:
        """Listen to the floors below, and tell them what their quick actions can open here."""
        from docms import receivers, resources  # noqa: F401

        resources.register()
