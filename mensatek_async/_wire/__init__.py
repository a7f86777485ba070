"""The wire: the provider's Spanish names, its reply forms, and the only converter of replies into models."""
