"""The sandbox's page: a phone inbox in the browser, on the same port as the API."""
