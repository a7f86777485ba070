"""What a campaign writes down before and after every request, and what it means."""
