"""Durable work, of campaigns and of the outbox alike: claims with leases, the request, and what its end means."""
