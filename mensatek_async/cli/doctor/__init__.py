"""`mensatek doctor`."""
