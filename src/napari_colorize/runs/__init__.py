"""A training run seen from outside: settings, events, folder and process."""
