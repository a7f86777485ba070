"""The provider's API: requests in, replies out."""
