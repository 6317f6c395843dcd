"""The docms door: one module per resource; `urls` routes, `errors` is the dialect, `auth` the sign-in."""
