from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "processes"

    def ready(self) -> None:
        """Listen to the floors below, and tell them what their quick actions can start here."""
        from processes import receivers, resources  # noqa: F401

        resources.register()
