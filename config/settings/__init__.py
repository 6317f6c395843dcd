"""Settings by environment. `DJANGO_SETTINGS_MODULE` names one of three modules, and nothing else differs:

- `config.settings.tryout` – `script/server`: embedded servers, demo, plain HTTP on this machine
- `config.settings.test` – the test session
- `config.settings.production` – everything else; refuses to start when a setting is missing or unsafe
"""
