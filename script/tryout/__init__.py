"""The try-out: everything of Quartier on this machine, behind one command."""
