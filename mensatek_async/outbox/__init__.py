"""The outbox: single texts by key, written down before they are sent, each sent once whatever happens."""
