"""What a user sets up once: profiles and completion."""
