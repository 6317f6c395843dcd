from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        """Listen to what the floor below announces."""
        from messaging import receivers  # noqa: F401
