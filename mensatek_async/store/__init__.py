"""The one durable place: SQLite or PostgreSQL, schema and versions, location, lock, failpoints."""
