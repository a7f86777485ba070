"""What keeps calls from hurting the account: circuit breaker, limiter, read cache, retry."""
