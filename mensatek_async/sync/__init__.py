"""The synchronous client: classes generated from the asynchronous ones, over one event loop in a thread."""
