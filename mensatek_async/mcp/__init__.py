"""A server of the Model Context Protocol: an assistant previews and sends texts, and looks at what became of them."""
