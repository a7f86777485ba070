"""One message, and many at once, from what the user wrote to what the wire carries."""
