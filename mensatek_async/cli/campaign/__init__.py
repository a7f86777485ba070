"""`mensatek campaign`: its commands, how campaigns are run, and how they are shown."""
