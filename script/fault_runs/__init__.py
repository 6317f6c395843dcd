"""`script/faults`: the house under load while its parts are killed, stopped, filled up and set to another time."""
