"""Who must not be texted: kept in a store, and asked before each request."""
