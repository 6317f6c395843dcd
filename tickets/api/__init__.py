"""The support door: help-desk integrations, at `/support`."""
