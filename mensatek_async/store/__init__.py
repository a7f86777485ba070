"""The one durable place: SQLite or PostgreSQL, schemas and their versions, location, lock, failpoints."""
