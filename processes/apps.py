from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "processes"

    def ready(self) -> None:
        """Tell the floors below what their quick actions can start here."""
        from processes import resources

        resources.register()
