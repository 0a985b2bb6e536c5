"""The providers as dlt sources, one package each, and the modules they share."""
