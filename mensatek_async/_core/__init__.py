"""One call from parameters to a decoded reply: check, guard, limit, send, retry, decode, raise."""
