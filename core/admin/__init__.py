"""What every list and form of the back office is built from. `config/admin_site.py` puts the site together."""
